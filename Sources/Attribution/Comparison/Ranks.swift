public import LinearAlgebra

/// The order of some scores, from which their rank correlations with others are made: sort once, compare with many.
public struct Ranks: Sendable {
    /// Examples by rising score; of equals the lower index first.
    let order: [UInt32]
    /// Which of the different scores each example has: 0 is the lowest.
    let level: [UInt32]
    /// Where each level begins in the order, and at the end how many examples there are.
    let starts: [UInt32]

    /// How many scores.
    public var count: Int { order.count }

    /// Ranks scores, at most 2³² − 1; nil where one is no number. Infinities are ranked, and −0 equals 0. O(n).
    /// - Throws: `Interrupted`.
    public init?(_ scores: UnsafeBufferPointer<Float>, interruption: Interruption = .never) throws(Interrupted) {
        try self.init(count: scores.count, interruption) { Double(scores[$0]) }
    }

    /// The same of scores in an array.
    /// - Throws: `Interrupted`.
    public init?(_ scores: [Float], interruption: Interruption = .never) throws(Interrupted) {
        try self.init(count: scores.count, interruption) { Double(scores[$0]) }
    }

    /// The same in double precision.
    /// - Throws: `Interrupted`.
    public init?(_ scores: [Double], interruption: Interruption = .never) throws(Interrupted) {
        try self.init(count: scores.count, interruption) { scores[$0] }
    }

    private init?(count: Int, _ interruption: Interruption, _ score: (Int) -> Double) throws(Interrupted) {
        precondition(count < UInt32.max, "examples are counted in 32 bits")
        var paced = PacedInterruption(interruption)
        var keys: [UInt64] = []
        keys.reserveCapacity(count)
        for example in 0..<count {
            try paced.check(after: 8)
            let score = score(example)
            guard !score.isNaN else { return nil }
            keys.append(Self.key(score))
        }
        let order = try Self.order(of: keys, &paced)
        var level = [UInt32](repeating: 0, count: count)
        var starts: [UInt32] = []
        for (place, example) in order.enumerated() {
            try paced.check(after: 16)
            if place == 0 || keys[Int(example)] != keys[Int(order[place - 1])] { starts.append(UInt32(place)) }
            level[Int(example)] = UInt32(starts.count - 1)
        }
        starts.append(UInt32(count))
        (self.order, self.level, self.starts) = (order, level, starts)
    }

    /// Whole numbers in the order of the numbers, the two zeros being one.
    private static func key(_ score: Double) -> UInt64 {
        let bits = (score + 0).bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    /// Sorts by digits of 11 bits, the lowest first, which leaves equal keys in order. Of the six digits those that all keys share are
    /// passed over: numbers that fit single precision differ in four at most.
    private static func order(of keys: [UInt64], _ paced: inout PacedInterruption) throws(Interrupted) -> [UInt32] {
        var order = (0..<keys.count).map { UInt32($0) }
        var next = order
        for shift in stride(from: 0, to: UInt64(64), by: 11) {
            var starts = [Int](repeating: 0, count: 1 << 11 + 1)
            for key in keys {
                try paced.check(after: 4)
                starts[Int(key >> shift & 0x7ff) + 1] += 1
            }
            if starts.contains(keys.count) { continue }
            for digit in 1..<starts.count { starts[digit] += starts[digit - 1] }
            for example in order {
                try paced.check(after: 16)
                let digit = Int(keys[Int(example)] >> shift & 0x7ff)
                next[starts[digit]] = example
                starts[digit] += 1
            }
            swap(&order, &next)
        }
        return order
    }
}
