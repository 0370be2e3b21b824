import Foundation
import LinearAlgebra
import Synchronization
import Testing

@Suite("parallel loops")
struct ParallelTests {
    struct Failure: Error, Equatable { let index: Int }

    @Test("every index runs exactly once", arguments: [1, 2, 8], [0, 1, 2, 7, 1000])
    func once(threads: Int, count: Int) throws {
        let visits = Mutex([Int](repeating: 0, count: count))
        try Parallel(threads: threads).forEach(count) { index in visits.withLock { $0[index] += 1 } }
        #expect(visits.withLock { $0 } == [Int](repeating: 1, count: count))
    }

    @Test("the error thrown is that of the earliest piece that failed", arguments: [1, 2, 8])
    func earliest(threads: Int) {
        for failing in [0, 3, 17, 99] {
            for _ in 0..<20 {
                #expect(throws: Failure(index: failing)) {
                    try Parallel(threads: threads).forEach(100) { index in
                        if index >= failing { throw Failure(index: index) }
                    }
                }
            }
        }
    }

    @Test("an error in a late piece does not hide that of an earlier one that is still running")
    func slowEarlier() {
        let laterFailed = Atomic(false)
        #expect(throws: Failure(index: 0)) {
            try Parallel(threads: 2).forEach(2) { index in
                if index == 1 {
                    laterFailed.store(true, ordering: .sequentiallyConsistent)
                    throw Failure(index: 1)
                }
                // Bounded, should the machine lend no second thread: then piece 1 never runs.
                for _ in 0..<5000 where !laterFailed.load(ordering: .sequentiallyConsistent) {
                    Thread.sleep(forTimeInterval: 0.001)
                }
                throw Failure(index: 0)
            }
        }
    }

    @Test("after an error few further pieces begin", arguments: [1, 2, 8])
    func stops(threads: Int) {
        let begun = Atomic(0)
        #expect(throws: Failure.self) {
            try Parallel(threads: threads).forEach(1_000_000) { index in
                begun.wrappingAdd(1, ordering: .relaxed)
                if index >= 5 { throw Failure(index: index) }
            }
        }
        #expect(begun.load(ordering: .relaxed) <= 6 + threads)
    }

    @Test("an interruption stops the loop between pieces", arguments: [1, 2, 8])
    func interrupted(threads: Int) {
        let done = Atomic(0)
        let interruption = Interruption { done.load(ordering: .relaxed) >= 10 }
        #expect(throws: Interrupted()) {
            try Parallel(threads: threads).forEach(100_000, interruption: interruption) { _ in
                done.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(done.load(ordering: .relaxed) <= 10 + threads)
    }

    @Test("an interruption raised beforehand runs nothing", arguments: [1, 2])
    func never(threads: Int) {
        #expect(throws: Interrupted()) {
            try Parallel(threads: threads).forEach(10, interruption: Interruption { true }) { _ in
                Issue.record("a piece ran")
            }
        }
        #expect(!Interruption.never.isRaised)
    }

    @Test("results in places of their own are the same on any number of threads")
    func sameResults() throws {
        let reference = (0..<500).map { index in (0...index).reduce(Float(0)) { $0 + 1 / Float($1 + 1) } }
        for threads in [1, 2, 8] {
            let results = AlignedMemory<Float>(uninitialized: 500)
            try Parallel(threads: threads).forEach(500) { index in
                results.start[index] = (0...index).reduce(Float(0)) { $0 + 1 / Float($1 + 1) }
            }
            #expect(Array(results.elements) == reference)
        }
    }

    @Test("loops nest")
    func nested() throws {
        let sum = Atomic(0)
        try Parallel(threads: 2).forEach(10) { outer in
            try Parallel(threads: 2).forEach(10) { inner in sum.wrappingAdd(10 * outer + inner, ordering: .relaxed) }
        }
        #expect(sum.load(ordering: .relaxed) == 4950)
    }

    @Test("at least one thread runs", arguments: [-3, 0, 1])
    func atLeastOne(threads: Int) {
        #expect(Parallel(threads: threads).threads == 1)
    }

    @Test(
        "ranges cover everything in order without gaps, none empty, of lengths that differ by one at most",
        arguments: [0, 1, 2, 15, 16, 17, 100, 55_000], [-1, 0, 1, 2, 16, 64, 1000])
    func ranges(count: Int, pieces: Int) {
        let ranges = Parallel.ranges(of: count, pieces: pieces)
        #expect(ranges.count == (count == 0 ? 0 : min(count, max(1, pieces))))
        #expect(ranges.flatMap { $0 } == Array(0..<count))
        #expect(ranges.allSatisfy { !$0.isEmpty })
        let lengths = ranges.map(\.count)
        #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1)
    }
}
