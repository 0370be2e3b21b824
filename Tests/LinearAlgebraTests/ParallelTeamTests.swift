import Dispatch
import Foundation
import LinearAlgebra
import Synchronization
import Testing

/// The threads behind parallel loops: shared by all loops, asleep when there are none.
@Suite("the threads of parallel loops")
struct ParallelTeamTests {
    private func sum(_ count: Int, threads: Int) throws -> Int {
        let total = Atomic(0)
        try Parallel(threads: threads).forEach(count) { total.wrappingAdd($0, ordering: .relaxed) }
        return total.load(ordering: .relaxed)
    }

    @Test("loops that follow each other at once and after rests are complete", arguments: [2, 3, 8])
    func rests(threads: Int) throws {
        for round in 0..<2_000 {
            #expect(try sum(10, threads: threads) == 45)
            // Around the time after which threads go to sleep.
            if round % 20 == 0 { Thread.sleep(forTimeInterval: Double(round % 7) * 0.00002) }
        }
    }

    @Test("loops inside loops are complete")
    func nested() throws {
        let total = Atomic(0)
        try Parallel(threads: 4).forEach(20) { _ in
            try Parallel(threads: 4).forEach(20) { _ in
                try Parallel(threads: 4).forEach(5) { total.wrappingAdd($0, ordering: .relaxed) }
            }
        }
        #expect(total.load(ordering: .relaxed) == 20 * 20 * 10)
    }

    @Test("loops of many threads at a time are complete, each for itself")
    func crowds() {
        DispatchQueue.concurrentPerform(iterations: 16) { caller in
            for round in 0..<200 {
                let count = 1 + (caller * 31 + round) % 50
                let total = try? sum(count, threads: 1 + caller % 5)
                if total != count * (count - 1) / 2 { Issue.record("a loop of \(count) summed to \(total ?? -1)") }
            }
        }
    }

    @Test("what pieces wrote is seen when the loop is over")
    func seen() throws {
        for _ in 0..<2_000 {
            let memory = AlignedMemory<Int>(repeating: 0, count: 64)
            try Parallel(threads: 4).forEach(64) { memory.start[$0] = $0 + 1 }
            #expect(memory.copy == Array(1...64))
        }
    }
}
