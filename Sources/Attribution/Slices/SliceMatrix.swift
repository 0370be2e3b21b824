public import LinearAlgebra

/// Slices of training data × slices of tests: what the scores are of every pair of them (FastIF, section 6.2 and tables 5 and 6).
///
/// Takes the scores of one test after the other and forgets them, so that no matrix of all tests and examples is ever held: the cells take
/// a few bytes each, and the correlations 8 for each training example and slice of tests. Training slices may overlap; each test is in one
/// slice. All sums are in double precision, each test's over examples by rising index and then over tests in the order they come in: the
/// bits depend on nothing else. A matrix whose `add` was interrupted is of no more use.
public struct SliceMatrix: Sendable {
    /// n: training examples.
    public let exampleCount: Int
    /// Tests that came in, by slice.
    public private(set) var testCounts: [Int]
    /// The statistics of each pair, [training slice][test slice].
    public private(set) var cells: [[SliceStatistics]]
    /// The examples of each training slice, rising, each once.
    private let slices: [[UInt32]]
    /// Σ of each example's scores over the tests of each slice, [test slice][n]; nothing where there are to be no correlations.
    private var sums: [[Double]]

    /// Makes a matrix without tests.
    /// - Parameters:
    ///   - exampleCount: n.
    ///   - trainingSlices: the examples of each, in any order; as sets, so that one named twice counts once. May be empty.
    ///   - testSliceCount: how many slices of tests.
    ///   - correlating: whether the slices' correlations are wanted, which take memory.
    ///   - memoryLimit: bytes that the matrix may take.
    /// - Throws: `SliceError`, `Interrupted`.
    public init(
        exampleCount: Int, trainingSlices: [[UInt32]], testSliceCount: Int, correlating: Bool, memoryLimit: Int,
        interruption: Interruption = .never
    ) throws {
        let bytes = Self.byteCount(
            exampleCount: exampleCount, members: trainingSlices.map(\.count), testSliceCount: testSliceCount,
            correlating: correlating)
        guard bytes <= memoryLimit else { throw SliceError.tooLarge(bytes: bytes, limit: memoryLimit) }
        self.exampleCount = exampleCount
        slices = try trainingSlices.enumerated().map { number, members in
            try interruption.check()
            return try Self.set(of: members, slice: number, exampleCount)
        }
        testCounts = [Int](repeating: 0, count: testSliceCount)
        cells = slices.map { _ in [SliceStatistics](repeating: SliceStatistics(), count: testSliceCount) }
        sums = (0..<(correlating ? testSliceCount : 0)).map { _ in [Double](repeating: 0, count: exampleCount) }
    }

    /// Adds the next test: O(n + Σ examples of slices).
    /// - Parameters:
    ///   - scores: of all training examples, n.
    ///   - slice: which slice the test is in.
    /// - Throws: `Interrupted`.
    public mutating func add(
        _ scores: UnsafeBufferPointer<Float>, to slice: Int, interruption: Interruption = .never
    ) throws(Interrupted) {
        precondition(scores.count == exampleCount, "a score for each example")
        testCounts[slice] += 1
        for (number, members) in slices.enumerated() {
            try interruption.check()
            cells[number][slice].add(scores, of: members)
        }
        guard !sums.isEmpty else { return }
        try interruption.check()
        sums[slice].withUnsafeMutableBufferPointer { sums in
            for example in sums.indices { sums[example] += Double(scores[example]) }
        }
    }

    /// How alike the slices of tests are, [test slice][test slice], symmetric: between the mean scores of all training examples over the
    /// tests of each. O(t²·n·log n).
    /// - Throws: `Interrupted`.
    public func correlations(parallel: Parallel, interruption: Interruption = .never) throws -> [[SliceCorrelation]] {
        precondition(sums.count == testCounts.count, "correlations were asked for")
        // Sums have the order of the means, and no ties that division would round them to.
        let ranks = try parallel.map(sums.count, interruption: interruption) { slice in
            testCounts[slice] == 0 ? nil : try Ranks(sums[slice], interruption: interruption)
        }
        let pairs = ranks.indices.flatMap { a in (a..<ranks.count).map { (a, $0) } }
        let correlations = try parallel.map(pairs.count, interruption: interruption) { pair in
            guard let a = ranks[pairs[pair].0], let b = ranks[pairs[pair].1] else {
                return SliceCorrelation(spearman: nil, kendall: nil)
            }
            return SliceCorrelation(
                spearman: try RankCorrelation.spearman(a, b, interruption: interruption),
                kendall: try RankCorrelation.kendall(a, b, interruption: interruption))
        }
        var matrix = ranks.map { _ in
            [SliceCorrelation](repeating: SliceCorrelation(spearman: nil, kendall: nil), count: ranks.count)
        }
        for ((a, b), correlation) in zip(pairs, correlations) { (matrix[a][b], matrix[b][a]) = (correlation, correlation) }
        return matrix
    }

    /// Bytes that a matrix takes, its correlations' ranks among them; `Int.max` where that is more than can be counted.
    private static func byteCount(exampleCount: Int, members: [Int], testSliceCount: Int, correlating: Bool) -> Int {
        // A sum, and ranks by example, by place and by level.
        let perExample = correlating ? MemoryLayout<Double>.stride + 3 * MemoryLayout<UInt32>.stride : 0
        let terms = [
            (exampleCount, testSliceCount, perExample), (members.count, testSliceCount, MemoryLayout<SliceStatistics>.stride),
            (testSliceCount, correlating ? testSliceCount : 0, MemoryLayout<SliceCorrelation>.stride),
            (members.reduce(0, +), 1, MemoryLayout<UInt32>.stride),
        ]
        var total = 0
        for (a, b, c) in terms {
            let (ab, overflow) = a.multipliedReportingOverflow(by: b)
            let (abc, overflow2) = ab.multipliedReportingOverflow(by: c)
            let (sum, overflow3) = total.addingReportingOverflow(abc)
            guard !overflow, !overflow2, !overflow3 else { return .max }
            total = sum
        }
        return total
    }

    /// Members by rising index, each once.
    private static func set(of members: [UInt32], slice: Int, _ count: Int) throws -> [UInt32] {
        if let bad = members.first(where: { Int($0) >= count }) { throw SliceError.index(bad, slice: slice, count: count) }
        if zip(members, members.dropFirst()).allSatisfy({ $0 < $1 }) { return members }
        var isMember = [Bool](repeating: false, count: count)
        for member in members { isMember[Int(member)] = true }
        return (0..<UInt32(count)).filter { isMember[Int($0)] }
    }
}
