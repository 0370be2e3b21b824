import LinearAlgebra
import Networks
import Synchronization
import TestSupport
import Testing

@Suite("training runs")
struct TrainingRunTests {
    private static let problem = SoftmaxProblem(count: 50, width: 4, classes: 3, bias: true, bytes: false)
    private static let objective = problem.objective(weightDecay: 0.05)

    private static let optimizers: [Optimizer] = [
        .lbfgs(LBFGS(history: 3)), .newtonCG(), .sgd(SGD(learningRate: 0.2, momentum: 0.9)), .adam(Adam(learningRate: 0.05)),
    ]

    @Test("every moment is shown once: its epoch, steps, loss and F as they are at its θ", arguments: optimizers)
    func moments(optimizer: Optimizer) throws {
        let settings = TrainingSettings(
            optimizer: optimizer, epochs: 6, batchSize: optimizer.learningRate(inEpoch: 0) == nil ? nil : 16, seed: 3)
        let moments = try Training.run(settings, on: Self.objective).moments
        #expect(moments.map(\.epoch) == Array(0...6))
        // Batches of 16, 16, 16 and 2.
        #expect(moments.map(\.step) == (0...6).map { settings.batchSize == nil ? $0 : 4 * $0 })
        #expect(moments.map { $0.stop } == [nil, nil, nil, nil, nil, nil, .epochs])
        for moment in moments {
            let theta = moment.parameters.map { Double($0) }
            let loss = (0..<50).reduce(0) { $0 + Self.problem.reference.loss(theta, $1) } / 50
            #expect(abs(moment.trainLoss - loss) < 1e-6 * loss)
            let objective = loss + 0.025 * theta.reduce(0) { $0 + $1 * $1 }
            #expect(abs(moment.objective - objective) < 1e-6 * objective)
        }
        #expect(try #require(moments.last).trainLoss < moments[0].trainLoss)
    }

    @Test("ends where the gradient's norm is as asked, and the norm is that of ∇F there", arguments: optimizers)
    func gradientNorm(optimizer: Optimizer) throws {
        let last = try Training.run(
            TrainingSettings(optimizer: optimizer, epochs: 3000, gradientNorm: 1e-3), on: Self.objective
        ).last
        #expect(last.stop == .gradientNorm)
        #expect(last.epoch > 0)
        let norm = try #require(last.gradientNorm)
        #expect(norm <= 1e-3)
        var gradient = last.parameters.map { 0.05 * Double($0) }
        let theta = last.parameters.map { Double($0) }
        for example in 0..<50 {
            for (i, g) in Self.problem.reference.gradient(theta, example).enumerated() { gradient[i] += g / 50 }
        }
        #expect(abs(gradient.reduce(0) { $0 + $1 * $1 }.squareRoot() - norm) < 1e-6)
    }

    @Test("has the same bits on any number of threads", arguments: optimizers)
    func threads(optimizer: Optimizer) throws {
        let settings = TrainingSettings(optimizer: optimizer, epochs: 8)
        let parameters = try (1...4).map { try Training.run(settings, on: Self.objective, threads: $0).moments.map(\.parameters) }
        for other in parameters.dropFirst() { #expect(other == parameters[0]) }
    }

    @Test("updates of more parameters than one thread takes are the same bits on any number of threads")
    func manyParameters() throws {
        let count = 140_001
        let objective = FormulaObjective(
            dimension: count, value: { $0.reduce(0) { $0 + $1 * $1 / 2 } }, gradient: { $0.map { $0 } })
        var numbers = SeededNumbers(2)
        let start = (0..<count).map { _ in Float(numbers.uniform()) }
        for optimizer: Optimizer in [.sgd(SGD(learningRate: 0.1, momentum: 0.5, nesterov: true)), .adam(Adam(learningRate: 0.1))]
        {
            let settings = TrainingSettings(optimizer: optimizer, epochs: 2)
            let one = try Training.run(settings, on: objective, from: start, threads: 1).last.parameters
            #expect(try Training.run(settings, on: objective, from: start, threads: 3).last.parameters == one)
            #expect(zip(one, start).allSatisfy { $0 < $1 })
        }
    }

    @Test("an epoch of mini-batches visits every example once, in an order of its own that the seed names")
    func batches() throws {
        func batches(seed: UInt64) throws -> [[UInt32]] {
            let recorded = RecordedObjective(Self.objective)
            _ = try Training.run(
                TrainingSettings(optimizer: .sgd(SGD(learningRate: 0.1)), epochs: 3, batchSize: 16, seed: seed), on: recorded)
            return recorded.batches
        }
        let batches1 = try batches(seed: 1)
        #expect(batches1.map(\.count) == [16, 16, 16, 2, 16, 16, 16, 2, 16, 16, 16, 2])
        let epochs = (0..<3).map { batches1[4 * $0..<4 * $0 + 4].flatMap { $0 } }
        for epoch in epochs { #expect(epoch.sorted() == (0..<50).map { UInt32($0) }) }
        #expect(Set(epochs).count == 3)
        #expect(try batches(seed: 1) == batches1)
        #expect(try batches(seed: 2) != batches1)
    }

    @Test("a batch of all examples or more is a full one, and costs one pass an epoch")
    func fullBatches() throws {
        let recorded = RecordedObjective(Self.objective)
        let sgd = Optimizer.sgd(SGD(learningRate: 0.1))
        let full = try Training.run(TrainingSettings(optimizer: sgd, epochs: 4), on: recorded).last
        #expect(recorded.evaluations == 5)
        for size in [50, 51, Int.max] {
            let other = try Training.run(TrainingSettings(optimizer: sgd, epochs: 4, batchSize: size), on: Self.objective).last
            #expect(other.parameters == full.parameters)
        }
    }

    @Test("epochs that are not measured show the mean of their batches' losses, and take no pass of their own")
    func unmeasured() throws {
        let recorded = RecordedObjective(Self.objective)
        var settings = TrainingSettings(
            optimizer: .sgd(SGD(learningRate: 1e-6)), epochs: 3, batchSize: 16, measuresEpochs: false)
        let moments = try Training.run(settings, on: recorded).moments
        #expect(recorded.evaluations == 1 + 3 * 4)
        #expect(moments.map { $0.gradientNorm == nil } == [false, true, true, true])
        // θ hardly moves, so that the means of the batches are the loss of all.
        for moment in moments {
            #expect(abs(moment.trainLoss - moments[0].trainLoss) < 1e-4)
            #expect(abs(moment.objective - moments[0].objective) < 1e-4)
        }
        settings.measuresEpochs = true
        let measured = try Training.run(settings, on: Self.objective).last
        #expect(measured.parameters == moments.last?.parameters)
    }

    @Test("stops when interrupted, and goes on from there to the bits of a run that was not", arguments: optimizers)
    func interrupted(optimizer: Optimizer) throws {
        let settings = TrainingSettings(
            optimizer: optimizer, epochs: 5, batchSize: optimizer.learningRate(inEpoch: 0) == nil ? nil : 8)
        let expected = try Training.run(settings, on: Self.objective).last.parameters
        var run = try TrainingRun(settings, of: Self.objective, from: [Float](repeating: 0, count: 15))
        var interruptions = 0
        for patience in [1, 2, 3, 5, 8, 13, 30, 60, 120, 250, 500, 1000, 2000, 100_000] {
            let left = Mutex(patience)
            do {
                try run.resume(
                    on: Self.objective, parallel: Parallel(threads: 2),
                    interruption: Interruption {
                        left.withLock {
                            $0 -= 1
                            return $0 < 0
                        }
                    })
                break
            } catch is Interrupted {
                interruptions += 1
                // As it would be after a crash.
                run = try TrainingRun(decoding: run.encoded())
            }
        }
        #expect(run.stop == .epochs)
        #expect(interruptions > 3)
        #expect(run.parameters == expected)
    }

    @Test("what a visitor throws ends the run, which can go on")
    func visitor() throws {
        struct Full: Error {}
        let settings = TrainingSettings(optimizer: .lbfgs(), epochs: 4)
        var run = try TrainingRun(settings, of: Self.objective, from: [Float](repeating: 0, count: 15))
        #expect(throws: Full.self) {
            try run.resume(on: Self.objective, parallel: Parallel(threads: 1)) { if $0.epoch == 2 { throw Full() } }
        }
        #expect(run.epoch == 2)
        var epochs: [Int] = []
        try run.resume(on: Self.objective, parallel: Parallel(threads: 1)) { epochs.append($0.epoch) }
        #expect(epochs == [3, 4])
        #expect(run.parameters == (try Training.run(settings, on: Self.objective).last.parameters))
    }
}
