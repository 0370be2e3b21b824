import JSON
import Testing

@testable import Service

@Suite("The compute gate: sharing and leaving")
struct ComputeGateSharingTests {
    @Test("identical questions in flight are computed once, whether it runs or waits, and all get the answer")
    func coalescing() throws {
        let bench = GateBench()
        let question = try Question.influence()
        let running = bench.asker(question)
        #expect(bench.begun(1))
        let sharing = try (0..<4).map {
            bench.asker(try .influence(0, ["id": .string("r\($0)"), "deadline_ms": .integer(5_000 + $0)]))
        }
        let other = try Question.influence(9, ["model": "other"])
        let waiting = (0..<3).map { _ in bench.asker(other) }
        #expect(bench.gate.load == .init(running: 1, waiting: 1))
        #expect(bench.coalesced.value == 6)
        bench.engine.release(0)
        bench.engine.release(1)
        #expect(bench.isIdle())
        #expect(bench.engine.batches == [[question], [other]])
        for asker in [running] + sharing { #expect(asker.stamp == .init(question: question, batch: 0)) }
        for asker in waiting { #expect(asker.stamp == .init(question: other, batch: 1)) }
        for asker in [running] + sharing + waiting { #expect(asker.replies == ["answer"] && asker.deliveries == 1) }
    }

    @Test("a question that is asked after the answer came is computed anew")
    func again() throws {
        let bench = GateBench()
        let question = try Question.influence()
        for batch in 0..<3 {
            let asker = bench.asker(question)
            bench.engine.release(batch)
            #expect(eventually { asker.stamp == .init(question: question, batch: batch) })
            #expect(bench.isIdle())
        }
        #expect(bench.coalesced.value == 0)
    }

    @Test("one of two who share leaves: the other is answered, the first is not", arguments: [true, false], [true, false])
    func oneLeaves(_ isRunning: Bool, _ isFirst: Bool) throws {
        let bench = GateBench()
        let question = try Question.influence()
        let blocker = isRunning ? nil : bench.asker(try .influence(0, ["model": "other"]))
        if !isRunning { #expect(bench.begun(1)) }
        let two = [bench.asker(question), bench.asker(question)]
        if isRunning { #expect(bench.begun(1)) }
        let (leaving, staying) = isFirst ? (two[0], two[1]) : (two[1], two[0])
        leaving.leave()
        #expect(bench.gate.load == .init(running: 1, waiting: isRunning ? 0 : 1))
        bench.engine.release(0)
        #expect(isRunning || bench.begun(2))
        let batch = isRunning ? 0 : 1
        #expect(!bench.engine.isInterrupted(batch: batch))
        bench.engine.release(batch)
        #expect(bench.isIdle())
        #expect(staying.stamp == .init(question: question, batch: batch) && staying.replies == ["answer"])
        #expect(leaving.replies == [] && leaving.deliveries == 0)
        #expect(blocker?.replies ?? ["answer"] == ["answer"])
    }

    @Test("when the last leaves, work that runs is interrupted, and nothing is delivered")
    func lastLeavesRunning() throws {
        let bench = GateBench()
        let question = try Question.influence()
        let two = [bench.asker(question), bench.asker(question)]
        #expect(bench.begun(1))
        two[0].leave()
        #expect(!bench.engine.isInterrupted(batch: 0))
        two[1].leave()
        #expect(bench.engine.isInterrupted(batch: 0))
        bench.engine.release(0)
        #expect(bench.isIdle())
        #expect(two.allSatisfy { $0.replies == [] && $0.deliveries == 0 })
    }

    @Test("when the last leaves, work that waits is withdrawn, and only that")
    func lastLeavesWaiting() throws {
        let bench = GateBench()
        let questions = try (0..<4).map { try Question.influence($0, ["model": .string("m\($0)")]) }
        let first = bench.asker(questions[0])
        #expect(bench.begun(1))
        let others = questions[1...].map { bench.asker($0) }
        let sharing = bench.asker(questions[2])
        others[1].leave()
        #expect(bench.gate.load.waiting == 3)
        sharing.leave()
        #expect(bench.gate.load.waiting == 2)
        for batch in 0..<3 { bench.engine.release(batch) }
        #expect(bench.isIdle())
        #expect(bench.engine.batches == [[questions[0]], [questions[1]], [questions[3]]])
        #expect(first.replies == ["answer"] && others[0].replies == ["answer"] && others[2].replies == ["answer"])
        #expect(others[1].deliveries == 0 && sharing.deliveries == 0)
    }

    @Test("a question that is asked again after all left has work of its own, and the abandoned does not answer it")
    func afterAbandonment() throws {
        let bench = GateBench(workers: 2)
        let question = try Question.influence()
        let gone = bench.asker(question)
        #expect(bench.begun(1))
        gone.leave()
        let again = bench.asker(question)
        #expect(bench.begun(2))
        let sharing = bench.asker(question)
        #expect(bench.engine.isInterrupted(batch: 0) && !bench.engine.isInterrupted(batch: 1))
        bench.engine.release(0)
        #expect(eventually { bench.gate.load.running == 1 })
        #expect(again.deliveries == 0 && sharing.deliveries == 0)
        bench.engine.release(1)
        #expect(bench.isIdle())
        for asker in [again, sharing] { #expect(asker.stamp == .init(question: question, batch: 1)) }
        #expect(gone.deliveries == 0)
        #expect(bench.coalesced.value == 1)
    }

    @Test("who is over before asking what is in flight takes nothing from those who wait for it")
    func overWhileSharing() throws {
        let bench = GateBench(workers: 2)
        let question = try Question.influence()
        let over = Asker(bench.deadlines)
        let first = bench.asker(question)
        #expect(bench.begun(1))
        first.leave()
        let second = bench.asker(question)
        #expect(bench.begun(2))
        over.leave()
        #expect(over.ask(question, bench.gate))
        #expect(!bench.engine.isInterrupted(batch: 1))
        bench.engine.release(0)
        bench.engine.release(1)
        #expect(bench.isIdle())
        #expect(second.replies == ["answer"] && over.deliveries == 0)
    }

    @Test("the deadline of one who shares ends its wait alone; the last one's abandons the work")
    func deadlines() throws {
        let bench = GateBench()
        let question = try Question.influence()
        let patient = bench.asker(question)
        #expect(bench.begun(1))
        let hasty = bench.asker(question, milliseconds: 20)
        #expect(eventually { hasty.replies == ["expired"] })
        #expect(!bench.engine.isInterrupted(batch: 0))
        bench.engine.release(0)
        #expect(eventually { patient.replies == ["answer"] })
        #expect(hasty.replies == ["expired"] && hasty.deliveries == 0)
        #expect(bench.isIdle())
        let alone = bench.asker(question, milliseconds: 20)
        #expect(bench.begun(2))
        #expect(eventually { bench.engine.isInterrupted(batch: 1) })
        #expect(eventually { alone.replies == ["expired"] })
        bench.engine.release(1)
        #expect(bench.isIdle())
        #expect(alone.deliveries == 0)
    }

    @Test("a call that is over already asks for nothing")
    func over() throws {
        let bench = GateBench()
        let blocker = bench.asker(try .influence(0, ["model": "other"]))
        #expect(bench.begun(1))
        let asker = Asker(bench.deadlines)
        asker.leave()
        #expect(asker.ask(try .influence(), bench.gate))
        #expect(bench.gate.load == .init(running: 1, waiting: 0))
        bench.engine.release(0)
        #expect(bench.isIdle())
        #expect(bench.engine.batches.count == 1 && asker.deliveries == 0 && blocker.replies == ["answer"])
    }

    @Test("nothing of a call is kept once it is answered, however soon the answer comes")
    func release() throws {
        let gate = ComputeGate(workers: 2, capacity: 10, coalesced: Counter("c_total", "Shared.")) { asked in
            asked.map { .failure(HeldEngine.Stamp(question: $0.0, batch: 0)) }
        }
        let deadlines = Deadlines()
        for index in 0..<300 {
            weak var call: Call?
            do {
                let asker = Asker(deadlines)
                call = asker.call
                #expect(asker.ask(try .influence(index), gate))
                #expect(eventually { asker.replies == ["answer"] })
            }
            #expect(eventually { call == nil })
        }
        #expect(deadlines.count == 0)
    }
}
