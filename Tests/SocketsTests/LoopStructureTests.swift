import Testing

@testable import Sockets

@Suite("Timers and handlers of the loop")
struct LoopStructureTests {
    private final class Nobody: ReadinessHandler {
        func ready(_ readiness: Readiness) {}
    }

    /// A loop whose thread waits, so that timers can be made for it.
    private func onLoop<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) -> Value) async throws -> Value {
        let loop = try EventLoop()
        try loop.start()
        defer { loop.stop() }
        return await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body(loop)) }
        }
    }

    @Test("Timers come out in the order of their moments, however they were set, moved and removed")
    func heapOrder() async throws {
        let isRight = try await onLoop { loop in
            var heap = TimerHeap()
            var random = SplitMix(state: 7)
            let base = loop.now
            let timers = (0..<200).map { _ in loop.makeTimer {} }
            var expected: [Int: Int] = [:]
            for _ in 0..<5_000 {
                let index = Int(random.next() % 200)
                if random.next() % 4 == 0 {
                    heap.remove(timers[index])
                    expected[index] = nil
                } else {
                    let moment = Int(random.next() % 1_000)
                    heap.set(timers[index], to: base + .milliseconds(moment))
                    expected[index] = moment
                }
                if !heap.isConsistent || heap.count != expected.count { return false }
            }
            var moments: [Int] = []
            while let timer = heap.popDue(at: base + .seconds(1)) {
                guard let index = timers.firstIndex(where: { $0 === timer }), let moment = expected[index] else { return false }
                moments.append(moment)
            }
            return moments == expected.values.sorted() && heap.count == 0 && timers.allSatisfy { !$0.isSet }
        }
        #expect(isRight)
    }

    @Test("A timer is not due before its moment")
    func notDue() async throws {
        let found = try await onLoop { loop in
            var heap = TimerHeap()
            let timer = loop.makeTimer {}
            heap.set(timer, to: loop.now + .seconds(1))
            let early = heap.popDue(at: loop.now) != nil
            let late = heap.popDue(at: loop.now + .seconds(1)) === timer
            return [early, late]
        }
        #expect(found == [false, true])
    }

    @Test("An old token finds nobody, although its slot is in use again")
    func staleTokens() {
        var table = HandlerTable()
        let (first, second) = (Nobody(), Nobody())
        let old = table.insert(first)
        table.remove(old)
        let new = table.insert(second)
        #expect(old != new)
        #expect(table.handler(of: old) == nil)
        #expect(table.handler(of: new) === second)
        table.remove(old)
        #expect(table.handler(of: new) === second)
        #expect(table.count == 1)
        #expect(table.handler(of: 12_345) == nil)
        table.removeAll()
        #expect(table.handler(of: new) == nil)
    }
}

/// A small generator with a fixed seed (Steele, Lea and Flood, 2014), so that a failure can be repeated.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
