import Dispatch
import Networks
import Store
import TestSupport
import Testing

@testable import InverseCurvature
@testable import Service

@Suite("The cache of s_test vectors")
struct SolutionCacheTests {
    /// A solution whose numbers take `4·length` bytes, and a little more.
    private func solution(_ value: Float, length: Int = 25) -> Solution {
        Solution(vectors: Array(repeating: value, count: length), repeats: [], residuals: [0], converged: [true])
    }

    private func key(_ number: Int) -> SolutionKey {
        SolutionKey(
            system: FactorKey(
                curvature: CurvatureKey(identity: ContentDigest(ofParts: ["model"]), kind: .hessian), shift: 0.5),
            solver: "exact", gradient: ContentDigest(ofParts: [String(number)]))
    }

    /// Bytes of a solution of the usual length.
    private var unit: Int { solution(0).byteCount }

    @Test("it gives back what was kept under a key, and nothing for another")
    func lookUp() {
        let cache = SolutionCache(capacity: 10 * unit)
        cache.insert(solution(1), for: key(1))
        #expect(cache[key(1)] == solution(1) && cache[key(2)] == nil)
        #expect(cache.size == (1, unit))
    }

    @Test("everything that determines a vector is in its key")
    func keys() {
        let cache = SolutionCache(capacity: 100 * unit)
        let choice = LiSSA.Choice(
            recursionDepth: 10, numRepeat: 2, batchSize: 4, scale: 8, seed: 1, rounds: 3, relativeError: 0.1)
        let spectrum = SpectrumEstimate(largestEigenvalue: 1, trace: 2, largestExampleNorm: 3)
        func key(
            _ model: String = "m", _ kind: CurvatureKind = .hessian, shift: Double = 1,
            _ change: (inout LiSSA.Choice) -> Void = { _ in },
            gradient: String = "g"
        ) -> SolutionKey {
            var choice = choice
            change(&choice)
            let solver = SettledLiSSA(
                lissa: LiSSA(choice, spectrum: spectrum, exampleCount: 100, shift: 1), preconditioning: .none)
            return SolutionKey(
                system: FactorKey(curvature: CurvatureKey(identity: ContentDigest(ofParts: [model]), kind: kind), shift: shift),
                solver: solver.identity, gradient: ContentDigest(ofParts: [gradient]))
        }
        let plain = key()
        let exact = SolutionKey(system: plain.system, solver: "exact", gradient: plain.gradient)
        let keys = [
            plain, exact, key("n"), key("m", .empiricalFisher), key(shift: 1.0.nextUp), key(gradient: "h"),
            key { $0.recursionDepth = 11 }, key { $0.numRepeat = 3 }, key { $0.batchSize = 5 }, key { $0.scale = 9 },
            key { $0.seed = 2 }, key { $0.rounds = 4 }, key { $0.relativeError = 0.2 },
        ]
        for (index, key) in keys.enumerated() { cache.insert(solution(Float(index)), for: key) }
        #expect(cache.size.count == keys.count)
        for (index, key) in keys.enumerated() { #expect(cache[key] == solution(Float(index))) }
    }

    @Test("the least recently used go first; a look counts as a use")
    func order() {
        let cache = SolutionCache(capacity: 3 * unit)
        for number in 1...3 { cache.insert(solution(Float(number)), for: key(number)) }
        #expect(cache[key(1)] != nil)
        cache.insert(solution(4), for: key(4))
        #expect(cache[key(2)] == nil)
        #expect([1, 3, 4].allSatisfy { cache[key($0)] == solution(Float($0)) })
        cache.insert(solution(5), for: key(5))
        #expect(cache[key(1)] == nil)
        #expect(cache.size == (3, 3 * unit))
    }

    @Test("a large one takes the place of as many as it needs, and the bound is kept to the byte")
    func bytes() {
        let cache = SolutionCache(capacity: 4 * unit)
        for number in 1...4 { cache.insert(solution(1), for: key(number)) }
        #expect(cache.size == (4, 4 * unit))
        let large = solution(9, length: 50)
        cache.insert(large, for: key(9))
        #expect(cache.size == (3, 2 * unit + large.byteCount))
        #expect(cache[key(1)] == nil && cache[key(2)] == nil && cache[key(3)] != nil && cache[key(9)] == large)
        let exact = SolutionCache(capacity: unit - 1)
        exact.insert(solution(1), for: key(1))
        #expect(exact.size == (0, 0) && exact[key(1)] == nil)
    }

    @Test("a key's solution is replaced, and its bytes with it; it is the newest then")
    func replacing() {
        let cache = SolutionCache(capacity: 3 * unit)
        cache.insert(solution(1), for: key(1))
        cache.insert(solution(2), for: key(2))
        cache.insert(solution(7, length: 20), for: key(1))
        #expect(cache.size == (2, unit + solution(7, length: 20).byteCount))
        for number in 3...4 { cache.insert(solution(3), for: key(number)) }
        #expect(cache[key(2)] == nil && cache[key(1)] == solution(7, length: 20))
    }

    @Test("what is larger than the whole cache is not kept, and drives nothing out")
    func oversized() {
        let cache = SolutionCache(capacity: 2 * unit)
        cache.insert(solution(1), for: key(1))
        cache.insert(solution(2, length: 100), for: key(2))
        #expect(cache[key(2)] == nil && cache[key(1)] == solution(1))
    }

    @Test("a cache of no bytes keeps nothing")
    func none() {
        let cache = SolutionCache(capacity: 0)
        cache.insert(solution(1), for: key(1))
        #expect(cache[key(1)] == nil && cache.size == (0, 0))
    }

    @Test("after any operations it holds what a plain list would", arguments: 0..<10)
    func model(_ seed: UInt64) throws {
        var numbers = SeededNumbers(seed)
        let capacity = 1 + Int(numbers.uniform() * 12) * unit
        let cache = SolutionCache(capacity: capacity)
        // From the least to the most recently used.
        var list: [(number: Int, solution: Solution)] = []
        for step in 0..<3_000 {
            let number = Int(numbers.uniform() * 12)
            let position = list.firstIndex { $0.number == number }
            if numbers.uniform() < 0.5 {
                try #require(cache[key(number)] == position.map { list[$0].solution })
                if let position { list.append(list.remove(at: position)) }
            } else {
                let made = solution(Float(step), length: 1 + Int(numbers.uniform() * 90))
                cache.insert(made, for: key(number))
                if made.byteCount <= capacity {
                    if let position { list.remove(at: position) }
                    list.append((number, made))
                    while list.reduce(0, { $0 + $1.solution.byteCount }) > capacity { list.removeFirst() }
                }
            }
            try #require(cache.size == (list.count, list.reduce(0) { $0 + $1.solution.byteCount }))
        }
    }

    @Test("many threads at a time neither exceed its bound nor get each other's vectors")
    func concurrently() {
        let cache = SolutionCache(capacity: 5 * unit)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var numbers = SeededNumbers(UInt64(thread))
            for _ in 0..<2_000 {
                let number = Int(numbers.uniform() * 10)
                if let found = cache[key(number)] {
                    #expect(found == solution(Float(number)))
                } else {
                    cache.insert(solution(Float(number)), for: key(number))
                }
                let size = cache.size
                #expect(size.count <= 5 && size.byteCount == size.count * unit)
            }
        }
    }
}
