/// A sample of tests of which recalls are measured, one test after the other.
public struct RecallSample: Sendable {
    /// m.
    private let neighborCounts: [Int]
    /// k.
    private let ks: [Int]
    private let trainingCount: Int
    /// The tests' shares, of each m and k.
    private var shares: [[Shares]]

    /// Of the tests that have any.
    private struct Shares: Sendable {
        var proponents: [Double] = []
        var opponents: [Double] = []
        var both: [Double] = []
    }

    /// An empty sample.
    /// - Parameters:
    ///   - neighborCounts: each m to measure, at least 1.
    ///   - ks: each k, at least 1.
    ///   - trainingCount: n.
    public init(neighborCounts: [Int], ks: [Int], trainingCount: Int) {
        precondition((neighborCounts + ks).allSatisfy { $0 > 0 }, "candidates and rankings have lengths")
        self.neighborCounts = neighborCounts
        self.ks = ks
        self.trainingCount = trainingCount
        shares = neighborCounts.map { _ in ks.map { _ in Shares() } }
    }

    /// The most neighbours of a test that are asked for.
    public var neighborCount: Int { min(trainingCount, neighborCounts.max() ?? 0) }

    /// Takes a test into the sample: O(n).
    /// - Parameters:
    ///   - scores: of all training examples.
    ///   - neighbors: the `neighborCount` nearest, or more, nearest first.
    public mutating func add(scores: [Float], neighbors: [UInt32]) {
        precondition(scores.count == trainingCount, "all training examples are scored")
        precondition(neighbors.count >= neighborCount, "as many neighbours as candidates")
        // How many candidates it takes for an example to be one.
        var needed = [Int](repeating: .max, count: trainingCount)
        for (place, index) in neighbors.enumerated() { needed[Int(index)] = place + 1 }
        let longest = ks.max() ?? 0
        let (signed, unsigned) = scores.withUnsafeBufferPointer {
            (TopK(of: $0, count: longest), TopK.unsigned($0, count: longest))
        }
        let proponents = signed.proponents.map { needed[$0.index] }
        let opponents = signed.opponents.map { needed[$0.index] }
        let both = unsigned.map { needed[$0] }
        for (row, m) in neighborCounts.enumerated() {
            for (column, k) in ks.enumerated() {
                shares[row][column].proponents += Self.share(of: proponents.prefix(k), within: m)
                shares[row][column].opponents += Self.share(of: opponents.prefix(k), within: m)
                shares[row][column].both += Self.share(of: both.prefix(k), within: m)
            }
        }
    }

    /// What the tests so far say, for each m and within it each k.
    public var recalls: [CandidateRecall] {
        neighborCounts.enumerated().flatMap { row, m in
            ks.enumerated().map { column, k in
                let shares = shares[row][column]
                return CandidateRecall(
                    neighborCount: m, k: k, trainingCount: trainingCount, proponents: .init(of: shares.proponents),
                    opponents: .init(of: shares.opponents), both: .init(of: shares.both))
            }
        }
    }

    /// One number, or none where there is nothing to find.
    private static func share(of needed: ArraySlice<Int>, within m: Int) -> [Double] {
        needed.isEmpty ? [] : [Double(needed.count { $0 <= m }) / Double(needed.count)]
    }
}

extension CandidateRecall.Share {
    fileprivate init(of shares: [Double]) {
        let count = Double(shares.count)
        let mean = shares.isEmpty ? 0 : shares.reduce(0, +) / count
        let squares = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.init(
            testCount: shares.count, mean: mean, standardDeviation: shares.count < 2 ? 0 : (squares / (count - 1)).squareRoot())
    }
}

extension TopK {
    /// The `count` examples of largest |score|, strongest first; ties go to the lower index, and zeros and NaN are left out.
    fileprivate static func unsigned(_ scores: UnsafeBufferPointer<Float>, count: Int) -> [Int] {
        var strongest = Strongest(count: count)
        for (index, score) in scores.enumerated() where abs(score) > 0 { strongest.offer(index, strength: abs(score)) }
        return strongest.sorted.map(\.index)
    }
}
