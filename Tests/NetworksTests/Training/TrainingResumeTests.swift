import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

@Suite("saved training runs")
struct TrainingResumeTests {
    private static let parallel = Parallel(threads: 2)
    private static let objective = SoftmaxProblem(count: 40, width: 4, classes: 3, bias: true, bytes: true)
        .objective(weightDecay: 0.02)

    static let settings = [
        TrainingSettings(optimizer: .lbfgs(LBFGS(history: 3)), epochs: 12, checkpoints: .largestFalls(count: 3, from: 2)),
        TrainingSettings(optimizer: .newtonCG(), epochs: 8, gradientNorm: 1e-6, checkpoints: .every(2)),
        TrainingSettings(
            optimizer: .sgd(SGD(learningRate: 0.3, momentum: 0.9, schedule: .cosine(epochs: 12, floor: 0.01))), epochs: 12,
            batchSize: 7, seed: 9, checkpoints: .largestFalls(count: 2)),
        TrainingSettings(
            optimizer: .sgd(SGD(learningRate: 0.3, schedule: .step(epochs: 3, factor: 0.5))), epochs: 9, batchSize: 16,
            measuresEpochs: false, checkpoints: .epochs([0, 3, 4])),
        TrainingSettings(optimizer: .adam(Adam(learningRate: 0.1)), epochs: 10, batchSize: 13, seed: .max),
        TrainingSettings(optimizer: .adam(Adam(learningRate: 0.1)), epochs: 10),
        // Over the floor, where runs go back to their best point.
        TrainingSettings(optimizer: .lbfgs(), epochs: 200),
    ]

    private func run(_ settings: TrainingSettings) throws -> TrainingRun {
        try TrainingRun(settings, of: Self.objective, from: [Float](repeating: 0, count: 15))
    }

    /// What one can see of a moment.
    private struct View: Equatable {
        let epoch: Int, step: Int, parameters: [Float], checkpoints: [TrainingCheckpoint], stop: TrainingStop?
        let numbers: [Double?]

        init(_ moment: TrainingMoment) {
            (epoch, step, parameters) = (moment.epoch, moment.step, moment.parameters)
            (checkpoints, stop) = (moment.checkpoints, moment.stop)
            numbers = [moment.trainLoss, moment.objective, moment.gradientNorm, moment.learningRate]
        }
    }

    @Test("a run saved after any epoch goes on to the same bits, losses and checkpoints", arguments: settings)
    func everyEpoch(settings: TrainingSettings) throws {
        var whole = try run(settings)
        var moments: [View] = []
        var saved: [[UInt8]] = []
        let stop = try whole.resume(on: Self.objective, parallel: Self.parallel) {
            moments.append(View($0))
            saved.append($0.run.encoded())
        }
        // Of a long run some cuts are enough, the last ones among them.
        for (cut, bytes) in saved.enumerated() where saved.count < 50 || (saved.count - 1 - cut) % 12 == 0 {
            var rest = try TrainingRun(decoding: bytes)
            #expect(rest.encoded() == bytes)
            var later: [View] = []
            #expect(try rest.resume(on: Self.objective, parallel: Self.parallel) { later.append(View($0)) } == stop)
            #expect(later == Array(moments[(cut + 1)...]))
            #expect(rest.parameters == whole.parameters)
            #expect(rest.encoded() == whole.encoded())
        }
    }

    @Test("a run that pauses, is saved and goes on is the run that does not pause", arguments: settings.dropLast())
    func pauses(settings: TrainingSettings) throws {
        var whole = try run(settings)
        var checkpoints: [TrainingCheckpoint] = []
        try whole.resume(on: Self.objective, parallel: Self.parallel) { checkpoints += $0.checkpoints }
        var paused = try run(settings)
        var kept: [TrainingCheckpoint] = []
        for pause in [0, 1, 3, 3] {
            #expect(
                try paused.resume(on: Self.objective, pausingAfter: pause, parallel: Self.parallel) { kept += $0.checkpoints }
                    == .paused)
            #expect(paused.epoch == pause)
            paused = try TrainingRun(decoding: paused.encoded())
        }
        try paused.resume(on: Self.objective, parallel: Self.parallel) { kept += $0.checkpoints }
        #expect(paused.encoded() == whole.encoded())
        #expect(kept == checkpoints)
    }

    @Test("another model, other data, and an optimiser without what it needs are refused")
    func mismatch() throws {
        let run = try run(TrainingSettings(optimizer: .lbfgs(), epochs: 2))
        func error(_ problem: SoftmaxProblem) throws -> String {
            var run = try TrainingRun(decoding: run.encoded())
            let other = problem.objective(weightDecay: 0.02)
            let error = try #require(throws: TrainingError.self) { try run.resume(on: other, parallel: Self.parallel) }
            guard case .mismatch(let reason) = error else { throw error }
            return reason
        }
        #expect(
            try error(SoftmaxProblem(count: 40, width: 5, classes: 3, bias: true, bytes: true))
                == "it has 15 parameters, and the model 18")
        #expect(
            try error(SoftmaxProblem(count: 41, width: 4, classes: 3, bias: true, bytes: true))
                == "it runs over 40 examples, and there are 41")
    }

    @Test("no byte can be changed, no byte lost and none added without an error", arguments: settings.dropLast())
    func damage(settings: TrainingSettings) throws {
        var run = try run(settings)
        try run.resume(on: Self.objective, pausingAfter: 3, parallel: Self.parallel)
        let bytes = run.encoded()
        for i in bytes.indices {
            var other = bytes
            other[i] ^= UInt8(1 << (i % 8))
            #expect(throws: TrainingError.self) { try TrainingRun(decoding: other) }
            #expect(throws: TrainingError.self) { try TrainingRun(decoding: Array(bytes[..<i])) }
        }
        #expect(throws: TrainingError.self) { try TrainingRun(decoding: bytes + [0]) }
        #expect(throws: TrainingError.self) { try TrainingRun(decoding: bytes + bytes) }
    }

    /// Bytes with a good checksum.
    private func sealed(_ content: some Sequence<UInt8>) -> [UInt8] {
        var writer = TrainingWriter()
        for byte in content { writer.write(byte) }
        return writer.closed()
    }

    @Test("bytes made to deceive, with a good checksum, give an error or a run that has meaning", arguments: settings.dropLast())
    func hostile(settings: TrainingSettings) throws {
        var run = try run(settings)
        try run.resume(on: Self.objective, pausingAfter: 3, parallel: Self.parallel)
        let content = run.encoded().dropLast(8)
        var (refused, taken) = (0, 0)
        for i in content.indices {
            for value: UInt8 in [0x00, 0x7f, 0x80, 0xff, content[i] ^ 1] where value != content[i] {
                var other = content
                other[i] = value
                do {
                    let strange = try TrainingRun(decoding: sealed(other))
                    #expect(strange.encoded() == sealed(other))
                    taken += 1
                } catch {
                    refused += 1
                }
            }
            #expect(throws: TrainingError.self) { try TrainingRun(decoding: sealed(content[..<i])) }
        }
        #expect(throws: TrainingError.self) { try TrainingRun(decoding: sealed(content + [0])) }
        #expect(refused > 100 && taken > 100)
    }

    @Test("a later version is told from damage")
    func version() throws {
        var content = try run(Self.settings[0]).encoded().dropLast(8)
        content[8] = 2
        #expect(throws: TrainingError.unknownVersion(found: 2, known: 1)) { try TrainingRun(decoding: sealed(content)) }
        #expect(throws: TrainingError.damaged(reason: "they don't begin as one")) { try TrainingRun(decoding: []) }
        #expect(throws: TrainingError.damaged(reason: "7 bytes are too few")) { try TrainingReader([1, 2, 3, 4, 5, 6, 7]) }
    }
}
