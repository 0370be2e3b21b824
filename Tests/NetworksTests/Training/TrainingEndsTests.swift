import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("how training ends")
struct TrainingEndsTests {
    @Test("steps that are too long are found to diverge, and the error says what to lower")
    func diverged() throws {
        let steep = FormulaObjective.quadratic(eigenvalues: [100], minimum: [0])
        let settings = TrainingSettings(optimizer: .sgd(SGD(learningRate: 1)), epochs: 1000)
        let error = try #require(throws: TrainingError.self) { try Training.run(settings, on: steep, from: [1]) }
        guard case .diverged(let epoch, let step, 1) = error else { throw error }
        // 99ᵏ and a gradient a hundred times as large leave single precision after 19 steps.
        #expect(epoch == 19 && step == 19)
        #expect(error.description.contains("learning_rate (1.0)"))
    }

    @Test("mini-batches diverge in the middle of an epoch, measured or not", arguments: [true, false])
    func divergedWithin(measures: Bool) throws {
        let objective = LinearObjective(
            loss: .squares, inputs: (0..<100).map { [Double($0)] }, targets: [Double](repeating: 1, count: 100))
        let settings = TrainingSettings(
            optimizer: .sgd(SGD(learningRate: 10)), epochs: 5, batchSize: 1, measuresEpochs: measures)
        let error = try #require(throws: TrainingError.self) { try Training.run(settings, on: objective) }
        guard case .diverged(0, let step, 10) = error else { throw error }
        #expect(step < 50)
    }

    @Test("a gradient whose square overflows Adam's moments is divergence")
    func overflow() throws {
        let objective = FormulaObjective(dimension: 1, value: { $0[0] }, gradient: { _ in [1e30] })
        let error = try #require(throws: TrainingError.self) {
            try Training.run(TrainingSettings(optimizer: .adam(Adam()), epochs: 5), on: objective)
        }
        guard case .diverged(1, 1, 0.001) = error else { throw error }
    }

    @Test("an objective that is not finite at the initial parameters is not trained", arguments: [Double.nan, .infinity])
    func notFinite(value: Double) throws {
        let objective = FormulaObjective(dimension: 1, value: { _ in value }, gradient: { _ in [1] })
        let error = try #require(throws: TrainingError.self) {
            try Training.run(TrainingSettings(optimizer: .lbfgs(), epochs: 5), on: objective)
        }
        #expect(error == .diverged(epoch: 0, step: 0, learningRate: nil))
        #expect(error.description.contains("initial parameters"))
    }

    @Test(
        "where single precision gives no smaller gradient the run says so, and ends at the smallest there was",
        arguments: [Optimizer.lbfgs(), .newtonCG()])
    func floor(optimizer: Optimizer) throws {
        let problem = SoftmaxProblem(count: 300, width: 20, classes: 10, bias: true, bytes: false, seed: 4)
        let objective = problem.objective(weightDecay: 0.01)
        let (last, moments) = try Training.run(TrainingSettings(optimizer: optimizer, epochs: 2000), on: objective)
        #expect(last.stop == .precisionFloor)
        #expect(last.epoch < 300)
        let norm = try #require(last.gradientNorm)
        #expect(norm < 1e-6 && norm > 0)
        // The smallest may be that of the epoch that the run ends in.
        let earlier = try #require(moments.dropLast().compactMap(\.gradientNorm).min())
        #expect(norm <= earlier)
        #expect(norm < earlier || moments.contains { $0.stop == nil && $0.parameters == last.parameters })
    }

    @Test("a gradient of zero ends a run that asks for no norm")
    func zero() throws {
        for optimizer: Optimizer in [.lbfgs(), .newtonCG(), .sgd(SGD(learningRate: 0.1))] {
            let objective = FormulaObjective.quadratic(eigenvalues: [1, 2], minimum: [3, 4])
            let (last, moments) = try Training.run(
                TrainingSettings(optimizer: optimizer, epochs: 5), on: objective, from: [3, 4])
            #expect(last.stop == .gradientNorm)
            #expect(moments.count == 1)
        }
    }

    @Test("a kink, where no direction descends, ends a run rather than holding it")
    func kink() throws {
        let kink = FormulaObjective(dimension: 2, value: { abs($0[0]) + abs($0[1]) }, gradient: { $0.map { $0 < 0 ? -1 : 1 } })
        let last = try Training.run(TrainingSettings(optimizer: .lbfgs(), epochs: 1000), on: kink, from: [0.3, -0.7]).last
        #expect(last.stop == .precisionFloor)
        #expect(last.objective < 0.01)
    }

    @Test("a run that has ended stays ended; one that used up its epochs goes on with more")
    func again() throws {
        let objective = LinearObjective.logistic(count: 30, width: 3, weightDecay: 0.1)
        let start: [Float] = [0, 0, 0]
        var done = try TrainingRun(
            TrainingSettings(optimizer: .lbfgs(), epochs: 100, gradientNorm: 1e-4), of: objective, from: start)
        #expect(try done.resume(on: objective, parallel: Parallel(threads: 1)) == .gradientNorm)
        let parameters = done.parameters
        var shown = 0
        #expect(try done.resume(on: objective, parallel: Parallel(threads: 1)) { _ in shown += 1 } == .gradientNorm)
        #expect(shown == 0 && done.parameters == parameters)

        let adam = TrainingSettings(optimizer: .adam(Adam()), epochs: 4)
        var short = try TrainingRun(adam, of: objective, from: start)
        #expect(try short.resume(on: objective, parallel: Parallel(threads: 1)) == .epochs)
        #expect(try short.resume(on: objective, parallel: Parallel(threads: 1)) == .epochs)
        #expect(throws: TrainingError.self) { try short.extend(toEpochs: 3) }
        #expect(throws: TrainingError.self) { try short.extend(toEpochs: .max) }
        try short.extend(toEpochs: 9)
        #expect(try short.resume(on: objective, parallel: Parallel(threads: 1)) == .epochs)
        var long = adam
        long.epochs = 9
        #expect(short.parameters == (try Training.run(long, on: objective).last.parameters))
        #expect(short.epoch == 9)
    }
}
