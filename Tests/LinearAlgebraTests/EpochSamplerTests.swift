import LinearAlgebra
import Testing

@Suite("mini-batches by epochs")
struct EpochSamplerTests {
    private func drawn(_ sampler: inout EpochSampler, batch size: Int) -> [UInt32] {
        var batch = [UInt32](repeating: .max, count: size)
        batch.withUnsafeMutableBufferPointer { sampler.next(into: $0) }
        return batch
    }

    @Test(
        "every row is visited once in every epoch, whatever the batches' size, also across their boundaries and beyond n",
        arguments: [(1, 1), (1, 5), (2, 1), (10, 3), (10, 10), (10, 7), (10, 25), (33, 32), (100, 32)])
    func epochs(rows: Int, size: Int) {
        var sampler = EpochSampler(count: rows, stream: RandomStream(seed: 2))
        var visits: [UInt32] = []
        while visits.count < 7 * rows { visits += drawn(&sampler, batch: size) }
        for epoch in 0..<7 {
            #expect(visits[epoch * rows..<(epoch + 1) * rows].sorted() == (0..<UInt32(rows)).map { $0 })
        }
    }

    @Test("the batches' size does not change the order of visits")
    func sameOrder() {
        var one = EpochSampler(count: 23, stream: RandomStream(seed: 4))
        var other = EpochSampler(count: 23, stream: RandomStream(seed: 4))
        let ones = (0..<70).flatMap { _ in drawn(&one, batch: 1) }
        let sevens = (0..<10).flatMap { _ in drawn(&other, batch: 7) }
        #expect(ones == sevens)
    }

    @Test("epochs and streams are ordered differently, and the same stream the same")
    func streams() {
        func epochs(_ stream: RandomStream) -> [[UInt32]] {
            var sampler = EpochSampler(count: 50, stream: stream)
            return (0..<3).map { _ in drawn(&sampler, batch: 50) }
        }
        let first = epochs(RandomStream(seed: 0, index: 0))
        #expect(Set(first + epochs(RandomStream(seed: 0, index: 1)) + epochs(RandomStream(seed: 1, index: 0))).count == 9)
        #expect(epochs(RandomStream(seed: 0, index: 0)) == first)
    }

    @Test("every order of three rows is equally likely")
    func unbiased() {
        var sampler = EpochSampler(count: 3, stream: RandomStream(seed: 8))
        var counts: [[UInt32]: Int] = [:]
        for _ in 0..<6000 { counts[drawn(&sampler, batch: 3), default: 0] += 1 }
        #expect(counts.count == 6)
        // Each is binomial with mean 1000 and standard deviation 29: five of them.
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 145 })
    }

    @Test("a sampler without rows is a programmer's error")
    func noRows() async {
        await #expect(processExitsWith: .failure) { _ = EpochSampler(count: 0, stream: RandomStream(seed: 0)) }
    }
}
