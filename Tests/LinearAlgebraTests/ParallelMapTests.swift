import Testing

@testable import LinearAlgebra

@Suite("loops that return something")
struct ParallelMapTests {
    private struct Failure: Error, Equatable { let piece: Int }

    @Test("results come in the order of the pieces, nil among them", arguments: [1, 2, 7])
    func order(threads: Int) throws {
        let parallel = Parallel(threads: threads)
        #expect(try parallel.map(100) { $0 * $0 } == (0..<100).map { $0 * $0 })
        #expect(try parallel.map(10) { $0 % 3 == 0 ? nil : $0 } == [nil, 1, 2, nil, 4, 5, nil, 7, 8, nil])
        #expect(try parallel.map(0) { $0 }.isEmpty)
    }

    @Test("the earliest error is thrown, and an interruption", arguments: [1, 4])
    func errors(threads: Int) {
        let parallel = Parallel(threads: threads)
        #expect(throws: Failure(piece: 0)) { try parallel.map(20) { throw Failure(piece: $0) } as [Int] }
        #expect(throws: Interrupted.self) { try parallel.map(20, interruption: Interruption { true }) { $0 } }
    }
}
