import Dispatch
import Foundation
import HTTP
import Synchronization
import Testing

@testable import Service

@Suite("A call")
struct CallTests {
    /// A call, and what became of it.
    private final class Client: Sendable {
        let cancellation = Cancellation()
        let abandonments = Atomic(0)
        private let replied = Mutex<[String]>([])

        var replies: [String] { replied.withLock { $0 } }
        var abandonmentCount: Int { abandonments.load(ordering: .acquiring) }

        func call(_ deadlines: Deadlines, milliseconds: Int = 600_000) -> Call {
            Call(deadlines: deadlines, milliseconds: milliseconds, cancellation: cancellation) { [self] response in
                replied.withLock { $0.append(String(decoding: response.body, as: UTF8.self)) }
            } expired: {
                .text("expired")
            }
        }

        /// Counts how often `call` tells of its abandonment.
        func watch(_ call: Call) { call.onAbandonment { [self] in abandonments.wrappingAdd(1, ordering: .releasing) } }
    }

    private let deadlines = Deadlines()
    private let client = Client()

    /// Whatever may come after the end must change nothing.
    private func exhaust(_ call: Call) {
        call.setDeadline(milliseconds: 0)
        client.cancellation.cancel()
        var isMade = false
        call.answer {
            isMade = true
            return .text("late")
        }
        #expect(!isMade, "no answer is made for a call that is over")
        #expect(call.isOver)
        #expect(deadlines.count == 0)
    }

    @Test("it ends with the answer, and nobody is told of an abandonment")
    func answer() {
        let call = client.call(deadlines)
        client.watch(call)
        #expect(!call.isOver && deadlines.count == 1)
        call.answer { .text("answer") }
        exhaust(call)
        client.watch(call)
        #expect(client.replies == ["answer"])
        #expect(client.abandonmentCount == 0)
    }

    @Test("it ends at its deadline, which is answered, and the abandonment is told once")
    func deadline() {
        let call = client.call(deadlines, milliseconds: 20)
        client.watch(call)
        #expect(eventually { client.abandonmentCount == 1 })
        exhaust(call)
        #expect(client.replies == ["expired"])
        #expect(client.abandonmentCount == 1)
    }

    @Test("it ends when the client goes, without a word to it, and the abandonment is told once")
    func cancellation() {
        let call = client.call(deadlines)
        client.watch(call)
        client.cancellation.cancel()
        exhaust(call)
        #expect(client.replies == [])
        #expect(client.abandonmentCount == 1)
    }

    @Test("whoever wants to be told of an abandonment that has been is told at once")
    func lateWatch() {
        client.cancellation.cancel()
        let call = client.call(deadlines)
        #expect(call.isOver && deadlines.count == 0)
        client.watch(call)
        #expect(client.abandonmentCount == 1)
        #expect(client.replies == [])
    }

    @Test("its deadline may be moved nearer")
    func shorter() {
        let call = client.call(deadlines)
        call.setDeadline(milliseconds: 1)
        #expect(eventually { client.replies == ["expired"] })
        exhaust(call)
    }

    @Test("its deadline may be moved away, and counts from the request's arrival")
    func longer() {
        let call = client.call(deadlines, milliseconds: 200)
        call.setDeadline(milliseconds: 400)
        #expect(eventually { call.isOver })
        #expect(call.milliseconds(to: .now()) >= 400)
        #expect(eventually { client.replies == ["expired"] })
        exhaust(call)
    }

    @Test("time before the request's arrival is none")
    func time() {
        let before = DispatchTime.now()
        let call = client.call(deadlines)
        #expect(call.milliseconds(to: before) == 0)
        #expect(call.milliseconds(to: .now() + .seconds(2)) >= 2_000)
        call.answer { .text("answer") }
    }

    @Test("of answer, deadline and cancellation at a time one wins, and what it says is all that is said")
    func race() {
        let deadlines = deadlines
        var ends: Set<String> = []
        for round in 0..<300 {
            let client = Client()
            let call = client.call(deadlines, milliseconds: round % 3)
            let made = Atomic(0)
            DispatchQueue.concurrentPerform(iterations: 3) { index in
                if index == 0 { client.watch(call) }
                if index == 1, round % 2 == 0 { client.cancellation.cancel() }
                if index == 2 {
                    call.answer {
                        made.wrappingAdd(1, ordering: .relaxed)
                        return .text("answer")
                    }
                }
            }
            #expect(call.isOver)
            let count = made.load(ordering: .relaxed)
            // Replies to a deadline and abandonments come just after the end.
            #expect(eventually { client.abandonmentCount == 1 - count })
            #expect(client.replies.count <= 1 && (client.replies == ["answer"]) == (count == 1))
            ends.insert(client.replies.first ?? "gone")
        }
        #expect(ends.contains("answer"))
        #expect(deadlines.count == 0)
    }

    @Test("nothing is kept of a call that is over, though who is told of its abandonment holds it", arguments: [true, false])
    func release(_ isWatchedBeforeItsEnd: Bool) {
        for end in 0..<3 {
            weak var released: Call?
            do {
                let call = client.call(deadlines, milliseconds: end == 0 ? 0 : 600_000)
                released = call
                if isWatchedBeforeItsEnd { call.onAbandonment { [call] in _ = call.isOver } }
                if end == 1 { call.answer { .text("answer") } }
                if end == 2 { client.cancellation.cancel() }
                #expect(eventually { call.isOver })
                if !isWatchedBeforeItsEnd { call.onAbandonment { [call] in _ = call.isOver } }
            }
            #expect(eventually { released == nil }, "end \(end)")
        }
        #expect(deadlines.count == 0)
    }
}
