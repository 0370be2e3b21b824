/// Durations, counted by how long they were.
struct Histogram: Equatable, Sendable {
    /// The upper bounds of the buckets, in seconds; the last bucket has none. From an answer out of memory to the default
    /// deadline of one that computes.
    static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

    /// Observations in each bucket, without those below it.
    private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    /// The sum of the observations, in seconds.
    private(set) var sum = 0.0

    /// Counts a duration in the first bucket whose bound it does not exceed. One that is negative or not a number, as a clock
    /// gone wrong may give, counts as zero: it would spoil the sum for good. O(buckets), no allocation.
    mutating func observe(_ seconds: Double) {
        let seconds = seconds > 0 && seconds.isFinite ? seconds : 0
        var bucket = 0
        while bucket < Self.bounds.count, seconds > Self.bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
        sum += seconds
    }
}
