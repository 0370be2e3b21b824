import Foundation
import Glibc
import JSON
import LinearAlgebra
import Networks
import Store
import Synchronization
import Testing

@testable import Service

@Suite("training that is interrupted")
struct TrainInterruptionTests {
    private let bench: TrainingBench

    init() throws { bench = try TrainingBench() }

    /// Raised from a certain question on.
    private final class Countdown: Sendable {
        private let left: Atomic<Int>

        init(_ questions: Int) { left = Atomic(questions) }

        var interruption: Interruption { Interruption { self.left.wrappingSubtract(1, ordering: .relaxed).newValue < 0 } }
    }

    /// Runs a training again and again, each time until it is asked so many questions, and returns how often it began.
    private func run(_ request: ModelTraining.Request, interruptedAfter questions: (Int) -> Int) throws -> Int {
        for attempt in 1...2_000 {
            var training = try ModelTraining(request, in: bench.engine())
            #expect(training.isResumed == (attempt > 1))
            let countdown = Countdown(questions(attempt))
            switch try training.run(interruption: countdown.interruption) {
            case .finished: return attempt
            case .interrupted(let epoch):
                #expect(epoch <= request.settings.epochs)
                #expect(bench.exists(bench.statePath(request.name)))
            }
        }
        Issue.record("it does not come to an end")
        return 0
    }

    @Test(
        "wherever it is interrupted, it ends with the same checkpoints to the bit, and leaves no state behind",
        arguments: [8, 10, 41])
    func anywhere(questions: Int) throws {
        let expected = try bench.undisturbed()
        #expect(expected.map { $0.split(separator: " ")[0] } == ["epoch-2", "epoch-4", "final"])
        let attempts = try run(bench.request("cut")) { questions + $0 % 5 }
        #expect(attempts > 3)
        #expect(try bench.checkpoints("cut") == expected)
        #expect(!bench.exists(bench.statePath("cut")) && !bench.exists(bench.statePath("cut") + ".new"))
    }

    @Test("what was interrupted before its first step begins at its first step")
    func beforeAnything() throws {
        let attempts = try run(bench.request("cut")) { $0 < 4 ? 0 : .max }
        #expect(attempts == 4)
        #expect(try bench.checkpoints("cut") == bench.undisturbed())
    }

    @Test("an epoch is broken off to be saved as often as it takes, without a change of any bit")
    func savedWithinEpochs() throws {
        var request = bench.request("often")
        request.patience = 1e-6
        var training = try ModelTraining(request, in: bench.engine())
        var places: [(epoch: Int, part: Double)] = []
        let outcome = try training.run { event in
            if case .within(let epoch, let part) = event { places.append((epoch, part)) }
        }
        guard case .finished(let summary) = outcome else { throw TrainingBench.Unexpected() }
        #expect(summary.stop == .epochs && summary.epoch == 6 && summary.step == 6 * 9)
        #expect(!places.isEmpty && places.allSatisfy { (0...1).contains($0.part) && (0...6).contains($0.epoch) })
        #expect(try bench.checkpoints("often") == bench.undisturbed())
    }

    @Test("the gradient is measured at the end where epochs are not, and is the same")
    func unmeasured() throws {
        func summary(_ name: String, measures: Bool) throws -> TrainingSummary? {
            var settings = TrainingBench.settings()
            settings.measuresEpochs = measures
            var training = try ModelTraining(bench.request(name, settings), in: bench.engine())
            guard case .finished(let summary) = try training.run() else { return nil }
            return summary
        }
        let (known, late) = (try #require(try summary("a", measures: true)), try #require(try summary("b", measures: false)))
        #expect(known.gradientNorm == late.gradientNorm && known.objective == late.objective)
        #expect(known.trainLoss == late.trainLoss && known.gradientNorm > 0 && known.objective > known.trainLoss)
    }

    @Test("a checkpoint waits for another writer to finish")
    func busy() throws {
        let lock = open(bench.path + "-lock", O_RDWR)
        defer { close(lock) }
        var training = try ModelTraining(bench.request("busy"), in: bench.engine())
        var waits = 0
        let outcome = try training.run { event in
            switch event {
            case .moment(let moment): if moment.epoch == 1 { #expect(flock(lock, LOCK_EX) == 0) }
            case .waiting:
                waits += 1
                if waits == 2 { #expect(flock(lock, LOCK_UN) == 0) }
            default: break
            }
        }
        guard case .finished = outcome else { throw TrainingBench.Unexpected() }
        #expect(waits == 2)
        #expect(try bench.checkpoints("busy") == bench.undisturbed())
    }

    @Test("where another writer does not finish, an interruption ends the waiting, and no checkpoint is lost")
    func busyForLong() throws {
        let lock = open(bench.path + "-lock", O_RDWR)
        let raised = Atomic(false)
        var training: ModelTraining? = try ModelTraining(bench.request("busy"), in: bench.engine())
        #expect(throws: StoreError.self) {
            _ = try training?.run(interruption: Interruption { raised.load(ordering: .relaxed) }) { event in
                switch event {
                case .moment(let moment): if moment.epoch == 1 { #expect(flock(lock, LOCK_EX) == 0) }
                case .waiting: raised.store(true, ordering: .relaxed)
                default: break
                }
            }
        }
        close(lock)
        training = nil
        #expect(try bench.checkpoints("busy").isEmpty)
        var again = try ModelTraining(bench.request("busy"), in: bench.engine())
        #expect(again.isResumed && again.epoch < 2)
        guard case .finished = try again.run() else { throw TrainingBench.Unexpected() }
        #expect(try bench.checkpoints("busy") == bench.undisturbed())
    }

    @Test("where the state can't be saved it ends, and goes on from what was saved before")
    func unsavable() throws {
        let next = bench.statePath("full") + ".new"
        var training: ModelTraining? = try ModelTraining(bench.request("full"), in: bench.engine())
        #expect(throws: ModelTrainingError.self) {
            _ = try training?.run { event in
                guard case .moment(let moment) = event, moment.epoch == 3 else { return }
                try? FileManager.default.createDirectory(atPath: next, withIntermediateDirectories: false)
            }
        }
        training = nil
        try FileManager.default.removeItem(atPath: next)
        var again = try ModelTraining(bench.request("full"), in: bench.engine())
        #expect(again.isResumed && again.epoch == 2)
        guard case .finished = try again.run() else { throw TrainingBench.Unexpected() }
        #expect(try bench.checkpoints("full") == bench.undisturbed())
    }
}
