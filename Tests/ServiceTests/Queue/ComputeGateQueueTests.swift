import Dispatch
import Foundation
import HTTP
import JSON
import Synchronization
import TestSupport
import Testing

@testable import Service

@Suite("The compute gate: batches, bounds and many at a time")
struct ComputeGateQueueTests {
    /// A bench whose only worker is busy.
    private func busyBench(capacity: Int = 100) throws -> (bench: GateBench, blocker: Asker) {
        let bench = GateBench(capacity: capacity)
        let blocker = bench.asker(try .influence(0, ["model": "blocker"]))
        #expect(bench.begun(1))
        return (bench, blocker)
    }

    /// The batches after the blocker's, once all are answered.
    private func batches(_ bench: GateBench) -> [[Question]] {
        for batch in 0..<50 { bench.engine.release(batch) }
        #expect(bench.isIdle())
        return Array(bench.engine.batches.dropFirst())
    }

    @Test("companions that wait go together up to 64 right-hand sides, exactly, and not beyond")
    func width() throws {
        let (bench, _) = try busyBench()
        let questions = try (0..<10).map { try Question.influence(10 * $0, tests: 8) }
        let askers = questions.map { bench.asker($0) }
        #expect(batches(bench) == [Array(questions[..<8]), Array(questions[8...])])
        for (position, asker) in askers.enumerated() {
            #expect(asker.stamp == .init(question: questions[position], batch: position < 8 ? 1 : 2))
        }
        #expect(bench.coalesced.value == 0)
    }

    @Test("one that does not fit waits while others behind it that do are taken along; an aggregate counts for one")
    func fitting() throws {
        let (bench, _) = try busyBench()
        let wide = try Question.influence(0, tests: 60)
        let tooWide = try Question.influence(1, tests: 5)
        let narrow = try Question.influence(2, tests: 3)
        let aggregate = try Question.influence(3, tests: 30, ["aggregate": "sum"])
        let last = try Question.influence(4)
        let askers = [wide, tooWide, narrow, aggregate, last].map { bench.asker($0) }
        #expect(batches(bench) == [[wide, narrow, aggregate], [tooWide, last]])
        #expect(askers.allSatisfy { $0.replies == ["answer"] })
    }

    @Test("one that is wider than a batch goes alone")
    func wide() throws {
        let (bench, _) = try busyBench()
        let questions = [
            try Question.influence(0, tests: 90), try .influence(1), try .influence(2, tests: 80), try .influence(3),
        ]
        let askers = questions.map { bench.asker($0) }
        #expect(batches(bench) == [[questions[0]], [questions[1], questions[3]], [questions[2]]])
        #expect(askers.allSatisfy { $0.replies == ["answer"] })
    }

    @Test("questions of another system or solver are not put together; those that differ otherwise are")
    func companions() throws {
        let (bench, _) = try busyBench()
        let plain = try Question.influence()
        let variations = try QuestionTests.variations.map {
            (question: try Question.influence(0, $0.members), isCompanion: $0.isCompanion)
        }
        let askers = ([plain] + variations.map(\.question)).map { bench.asker($0) }
        let together = [plain] + variations.filter(\.isCompanion).map(\.question)
        let apart = variations.filter { !$0.isCompanion }.map { [$0.question] }
        #expect(batches(bench) == [together] + apart)
        #expect(askers.allSatisfy { $0.replies == ["answer"] })
    }

    @Test("predictions are not put together, with each other or with anything")
    func predictions() throws {
        let (bench, _) = try busyBench()
        let questions = [try Question.predict(1), try .predict(2), try .influence(1), try .predict(3), try .influence(2)]
        let askers = questions.map { bench.asker($0) }
        #expect(batches(bench) == [[questions[0]], [questions[1]], [questions[2], questions[4]], [questions[3]]])
        #expect(askers.allSatisfy { $0.replies == ["answer"] })
    }

    @Test("each of a batch gets its own outcome, and one that left before it began is not in it")
    func outcomes() throws {
        let (bench, _) = try busyBench()
        let questions = try (0..<5).map { try Question.influence($0) }
        let askers = questions.map { bench.asker($0) }
        let sharing = bench.asker(questions[3])
        askers[1].leave()
        bench.engine.release(0)
        #expect(bench.begun(2))
        askers[2].leave()
        #expect((0..<4).map { bench.engine.isInterrupted(batch: 1, $0) } == [false, true, false, false])
        #expect(batches(bench) == [[questions[0], questions[2], questions[3], questions[4]]])
        for index in [0, 3, 4] { #expect(askers[index].stamp == .init(question: questions[index], batch: 1)) }
        #expect(sharing.stamp == .init(question: questions[3], batch: 1))
        #expect(askers[1].deliveries == 0 && askers[2].deliveries == 0)
    }

    @Test(
        "where no more may wait a new question is refused, and hears nothing more; one that is in flight is shared all the same")
    func refusal() throws {
        let (bench, blocker) = try busyBench(capacity: 2)
        let questions = try (0..<3).map { try Question.influence($0) }
        #expect(!bench.gate.isFull)
        let askers = questions[..<2].map { bench.asker($0) }
        #expect(bench.gate.isFull)
        let refused = Asker(bench.deadlines)
        #expect(!refused.ask(questions[2], bench.gate))
        let sharing = [bench.asker(questions[1]), bench.asker(try .influence(0, ["model": "blocker"]))]
        #expect(bench.coalesced.value == 2)
        #expect(bench.gate.load == .init(running: 1, waiting: 2))
        // A refusal leaves nothing behind: as soon as there is room the question is taken.
        askers[0].leave()
        #expect(!bench.gate.isFull)
        let later = bench.asker(questions[2])
        #expect(batches(bench) == [[questions[1], questions[2]]])
        #expect(([blocker, askers[1], later] + sharing).allSatisfy { $0.replies == ["answer"] })
        #expect(refused.deliveries == 0 && !refused.call.isOver)
    }

    @Test("however many ask and leave at a time, each is answered or gone exactly once, and in the end nothing is left")
    func hammer() throws {
        let runs = Atomic(0)
        let coalesced = Counter("coalesced_total", "Shared.")
        let gate = ComputeGate(workers: 3, capacity: 12, coalesced: coalesced) { asked in
            let run = runs.wrappingAdd(1, ordering: .relaxed).newValue
            usleep(UInt32(run * 7_919 % 400))
            return asked.map { .failure(HeldEngine.Stamp(question: $0.0, batch: run)) }
        }
        let deadlines = Deadlines()
        let questions = try (0..<24).map { try Question.influence($0, tests: 5, ["model": .string("m\($0 % 3)")]) }
        let (threads, rounds) = (8, 250)
        struct Visit: Sendable {
            let asker: Asker
            let question: Question
            let isTaken: Bool
            let mayHaveLeft: Bool
            let mayExpire: Bool
        }
        let visits = Mutex<[Visit]>([])
        let leaving = WorkerPool<Errand>(label: "leaving", workers: 2, capacity: threads * rounds)
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            var numbers = SeededNumbers(UInt64(thread))
            for _ in 0..<rounds {
                let chance = numbers.uniform()
                let mayExpire = chance < 0.2
                let mayHaveLeft = chance >= 0.2 && chance < 0.6
                let asker = Asker(deadlines, milliseconds: mayExpire ? Int(chance * 15) : 600_000)
                let question = questions[Int(numbers.uniform() * 24)]
                if chance >= 0.2, chance < 0.25 { asker.leave() }
                let isTaken = asker.ask(question, gate)
                if mayHaveLeft { _ = leaving.submit { asker.leave() } }
                visits.withLock {
                    $0.append(
                        Visit(
                            asker: asker, question: question, isTaken: isTaken, mayHaveLeft: mayHaveLeft, mayExpire: mayExpire))
                }
                if chance > 0.9 { usleep(200) }
            }
        }
        #expect(eventually { leaving.load == .init(running: 0, waiting: 0) && gate.load == .init(running: 0, waiting: 0) })
        let all = visits.withLock { $0 }
        #expect(all.count == threads * rounds)
        for visit in all where visit.isTaken {
            #expect(eventually { visit.asker.call.isOver })
            if !visit.mayHaveLeft { #expect(eventually { visit.asker.replies.count == 1 }) }
        }
        var counts: [String: Int] = [:]
        for visit in all {
            let (asker, replies) = (visit.asker, visit.asker.replies)
            #expect(replies.count <= 1 && asker.deliveries <= (visit.isTaken ? 1 : 0))
            #expect(asker.stamp == nil || asker.stamp?.question == visit.question)
            #expect((asker.stamp != nil) == (replies == ["answer"]))
            #expect(replies != ["expired"] || visit.mayExpire)
            if visit.isTaken, !visit.mayExpire, !visit.mayHaveLeft { #expect(replies == ["answer"]) }
            counts[visit.isTaken ? replies.first ?? "gone" : "refused", default: 0] += 1
        }
        // The mixture has all of them, or it shows nothing.
        #expect(["answer", "gone"].allSatisfy { counts[$0, default: 0] > 50 } && counts["expired", default: 0] > 0)
        #expect(coalesced.value > 0)
        // A question that the gate still held would be shared, and never answered.
        let shared = coalesced.value
        for question in questions {
            let asker = Asker(deadlines)
            #expect(asker.ask(question, gate))
            #expect(eventually { asker.replies == ["answer"] })
        }
        #expect(coalesced.value == shared)
    }
}
