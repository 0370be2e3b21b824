internal import CKernels

/// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011), from which all projections draw: for comparison with its published numbers.
package enum Philox {
    /// Four words for a counter, and for each of the `count` − 1 that follow it.
    package static func words(key: UInt64, counter: [UInt32], count: Int = 1) -> [[UInt32]] {
        precondition(counter.count == 4, "a counter has four words")
        var out = [(UInt32, UInt32, UInt32, UInt32)](repeating: (0, 0, 0, 0), count: count)
        influenced_philox(key, counter, count, &out)
        return out.map { [$0.0, $0.1, $0.2, $0.3] }
    }
}
