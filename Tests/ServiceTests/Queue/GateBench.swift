import Dispatch
import HTTP
import JSON
import LinearAlgebra
import Synchronization
import Testing

@testable import Service

/// Stands for the engine behind a gate: it holds every batch until it is let go, and says of each outcome which batch it came of.
final class HeldEngine: Sendable {
    /// An outcome: a failure, since a success would need a model.
    struct Stamp: Error, Equatable {
        let question: Question
        let batch: Int
    }

    private struct State {
        var batches: [[(question: Question, interruption: Interruption)]] = []
        var latches: [Int: DispatchSemaphore] = [:]
    }

    private let state = Mutex(State())

    /// The questions of each batch so far.
    var batches: [[Question]] { state.withLock { $0.batches.map { $0.map(\.question) } } }

    /// Whether a question of a batch need not be answered any more.
    func isInterrupted(batch: Int, _ position: Int = 0) -> Bool {
        state.withLock { $0.batches[batch][position].interruption }.isRaised
    }

    /// Lets a batch go, now or when it comes.
    func release(_ batch: Int) { latch(batch).signal() }

    func answer(_ asked: [(Question, Interruption)]) -> [Result<Answer, any Error>] {
        let number = state.withLock { state in
            state.batches.append(asked.map { ($0.0, $0.1) })
            return state.batches.count - 1
        }
        _ = latch(number).wait(timeout: .now() + 20)
        return asked.map { .failure(Stamp(question: $0.0, batch: number)) }
    }

    private func latch(_ batch: Int) -> DispatchSemaphore {
        state.withLock { state in
            let latch = state.latches[batch] ?? DispatchSemaphore(value: 0)
            state.latches[batch] = latch
            return latch
        }
    }
}

/// Somebody who asks a gate one question.
final class Asker: Sendable {
    /// What came back: held apart, so that the call does not hold who waits for it.
    private final class Told: Sendable {
        let value = Mutex<(replies: [String], deliveries: Int, stamp: HeldEngine.Stamp?)>(([], 0, nil))
    }

    let call: Call
    private let told: Told
    private let cancellation = Cancellation()

    /// What the client was answered: "answer" or "expired".
    var replies: [String] { told.value.withLock { $0.replies } }
    /// How often the gate delivered.
    var deliveries: Int { told.value.withLock { $0.deliveries } }
    /// The outcome that was answered with.
    var stamp: HeldEngine.Stamp? { told.value.withLock { $0.stamp } }

    init(_ deadlines: Deadlines, milliseconds: Int = 600_000) {
        let told = Told()
        self.told = told
        call = Call(deadlines: deadlines, milliseconds: milliseconds, cancellation: cancellation) { response in
            told.value.withLock { $0.replies.append(String(decoding: response.body, as: UTF8.self)) }
        } expired: {
            .text("expired")
        }
    }

    func ask(_ question: Question, _ gate: ComputeGate) -> Bool {
        gate.ask(question, for: call) { [told, call] delivery in
            told.value.withLock { $0.deliveries += 1 }
            call.answer {
                if case .failure(let stamp as HeldEngine.Stamp) = delivery.outcome { told.value.withLock { $0.stamp = stamp } }
                return .text("answer")
            }
        }
    }

    /// The client goes.
    func leave() { cancellation.cancel() }
}

/// A gate with a held engine behind it.
struct GateBench {
    let engine = HeldEngine()
    let deadlines = Deadlines()
    let coalesced = Counter("coalesced_total", "Shared.")
    let gate: ComputeGate

    init(workers: Int = 1, capacity: Int = 100) {
        gate = ComputeGate(workers: workers, capacity: capacity, coalesced: coalesced) { [engine] in engine.answer($0) }
    }

    /// An asker whose question the gate took.
    func asker(_ question: Question, milliseconds: Int = 600_000) -> Asker {
        let asker = Asker(deadlines, milliseconds: milliseconds)
        #expect(asker.ask(question, gate))
        return asker
    }

    /// Waits until as many batches have begun.
    func begun(_ count: Int) -> Bool { eventually { engine.batches.count == count } }

    /// Whether nothing runs and nothing waits, soon.
    func isIdle() -> Bool { eventually { gate.load == .init(running: 0, waiting: 0) } }
}

extension Question {
    /// A question of the usual deadline.
    init(_ request: InfluenceRequest) { self.init(request, deadlineMilliseconds: 10_000) }

    static let limits = RequestLimits(
        maximumTests: 100, maximumK: 100, maximumGroups: 10, maximumDeadlineMilliseconds: 1_000_000)

    /// A question on influence: `tests` rows from `first` on, with further members.
    static func influence(_ first: Int = 0, tests: Int = 1, _ members: JSONObject = [:]) throws -> Question {
        var body: JSONObject = ["model": "m"]
        body["tests"] = .array((first..<first + tests).map { ["dataset": "d", "index": .integer($0)] })
        for (key, value) in members { body[key] = value }
        return Question(try InfluenceRequest(.object(body), limits: limits))
    }

    /// A question on predictions.
    static func predict(_ index: Int, id: String = "a") throws -> Question {
        let body: JSON = ["id": .string(id), "model": "m", "tests": [["dataset": "d", "index": .integer(index)]]]
        return Question(try PredictRequest(body, limits: limits))
    }
}
