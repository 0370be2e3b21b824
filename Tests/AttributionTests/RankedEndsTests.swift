import InverseCurvature
import LinearAlgebra
import Networks
import Synchronization
import TestSupport
import Testing

@testable import Attribution

/// Rows that go past in stretches of some length and in an order of their own, and that nobody may pick out one by one.
private struct PassingRows: GradientRows {
    struct PickedOut: Error {}

    let resident: ResidentRows
    let length: Int
    let seed: UInt64
    var count: Int { resident.count }
    var width: Int { resident.width }
    var isResident: Bool { false }

    func forEachStretch(
        parallel: Parallel, interruption: Interruption, _ body: @escaping @Sendable (Range<Int>, EncodedRows) throws -> Void
    ) throws {
        var numbers = SeededNumbers(seed)
        let starts = Array(stride(from: 0, to: count, by: length)).shuffled(using: &numbers)
        try parallel.forEach(starts.count, interruption: interruption) { index in
            let stretch = starts[index]..<min(starts[index] + length, count)
            try body(stretch, resident.rows.part(stretch))
        }
    }

    func forEachPart(
        of range: Range<Int>, length: Int, interruption: Interruption, _ body: (EncodedRows) throws -> Void
    ) throws {
        try resident.forEachPart(of: range, length: length, interruption: interruption, body)
    }

    func forEach(_ rows: [UInt32], interruption: Interruption, _ body: (Int, EncodedRows) throws -> Void) throws {
        throw PickedOut()
    }
}

@Suite("Ends that are found in one pass")
struct RankedEndsTests {
    private let problem = ScoringProblem(count: 300, width: 6, classes: 3, bias: true, bytes: false)

    /// The problem's gradients, written out; every third is the one before it once more, so that there are ties.
    private func rows() throws -> ResidentRows {
        let width = problem.model.parameterCount
        let memory = AlignedMemory<UInt8>(uninitialized: problem.features.count * width * 4)
        let gradients = (0..<problem.features.count).flatMap { problem.gradient($0 % 3 == 2 ? $0 - 1 : $0) }
        gradients.withUnsafeBytes { UnsafeMutableRawBufferPointer(memory.elements).copyMemory(from: $0) }
        return try ResidentRows(memory, count: problem.features.count, width: width, encoding: .float32)
    }

    @Test(
        "rankings of rows that go past are those of rows in memory, standard errors included, and no row is read twice",
        arguments: [1, 7, 64, 300], [1, 3, 40, 300])
    func rankings(length: Int, k: Int) throws {
        let resident = try RowGradients(rows: rows())
        let solution = try problem.lissaSolution(tests: 3, repeats: 4)
        let wanted = (0..<3).map { test in
            WantedEnds(count: k + 1, directions: solution[test].repeats.flatMap { $0 })
        }
        for threads in 1...3 {
            let parallel = Parallel(threads: threads)
            let passing = try RowGradients(rows: PassingRows(resident: rows(), length: length, seed: UInt64(threads)))
            let scan = try passing.scan(
                along: solution.vectors, ends: wanted, imaging: nil, parallel: parallel, interruption: .never)
            let (scores, ends) = (scan.scores, scan.ends)
            let inMemory = try resident.scan(
                along: solution.vectors, ends: wanted, imaging: nil, parallel: parallel, interruption: .never)
            #expect(inMemory.ends == nil)
            for test in 0..<3 {
                #expect(scores[test] == inMemory.scores[test])
                let found = try passing.ranking(
                    of: test, scores: scores[test], selection: .all, ends: try #require(ends)[test], solution: solution, k: k,
                    parallel: parallel)
                let expected = try resident.ranking(
                    of: test, scores: scores[test], selection: .all, solution: solution, k: k, parallel: parallel)
                #expect(found == expected)
                #expect(found.proponents.allSatisfy { $0.standardError != nil })
            }
        }
    }

    @Test("what is kept meanwhile grows with the ends, not with the rows")
    func kept() throws {
        let rows = try rows()
        let keeper = EndKeeper(count: 2, vectors: [Float](repeating: 1, count: rows.width), vectorCount: 1)
        // Each is stronger than all before it.
        for row in 0..<300 {
            let score = Float(row % 2 == 0 ? row + 1 : -row - 1)
            try [score].withUnsafeBufferPointer {
                try keeper.look(at: $0, of: rows.rows.part(row..<row + 1), from: row, interruption: .never)
            }
            #expect(keeper.ends.scores.count <= 8)
        }
        #expect(Set(keeper.ends.scores.keys).isSuperset(of: [296, 297, 298, 299]))
    }

    @Test("ends of rows that have to be found again are found, and cost the reading")
    func unknown() throws {
        let passing = try RowGradients(rows: PassingRows(resident: rows(), length: 64, seed: 1))
        let solution = try problem.lissaSolution(tests: 1, repeats: 2)
        let parallel = Parallel(threads: 1)
        let scan = try passing.scan(
            along: solution.vectors, ends: [WantedEnds(count: 4, directions: solution.repeats.flatMap { $0 })], imaging: nil,
            parallel: parallel, interruption: .never)
        #expect(throws: PassingRows.PickedOut.self) {
            try passing.ranking(
                of: 0, scores: scan.scores[0], selection: .all, ends: scan.ends?[0], solution: solution, k: 150,
                parallel: parallel)
        }
    }
}
