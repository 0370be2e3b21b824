import Dispatch
import InverseCurvature
import JSON
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Service

/// What an answer is must not depend on who else asks.
@Suite("The engine, asked by several at a time")
struct EngineTogetherTests {
    private let bench: EngineBench
    private let requests: [InfluenceRequest]
    /// What each gets alone, of an engine that knows nothing and keeps nothing.
    private let alone: [String]

    init() throws {
        bench = try EngineBench()
        requests = try EngineBench.requests()
        alone = [Int](requests.indices).map { [bench, requests] index in
            EngineBench.shown(bench.engine().influence([.init(request: requests[index], interruption: .never)])[0])
        }
    }

    private func shown(_ indices: [Int], _ engine: Engine) -> [String] {
        engine.influence(indices.map { .init(request: requests[$0], interruption: .never) }).map(EngineBench.shown)
    }

    @Test("the samples are what they are meant to be: some fail, each in its way, and the others differ")
    func samples() {
        #expect(requests.indices.filter { alone[$0].hasPrefix("failed") } == Array(EngineBench.failing))
        // Both that have no solution say the same.
        #expect(alone[24] == alone[23] && Set(alone).count == alone.count - 1)
        #expect(alone[18].contains("diverged"))
    }

    @Test("each gets to the last bit what it gets alone, in whatever order and beside whatever others", arguments: 0..<6)
    func together(_ seed: UInt64) {
        var numbers = SeededNumbers(seed)
        let order = Array(requests.indices).shuffled(using: &numbers)
        #expect(shown(order, bench.engine(threads: 1 + Int(seed) % 3)) == order.map { alone[$0] })
        let some = Array(order.prefix(5))
        #expect(shown(some, bench.engine()) == some.map { alone[$0] })
    }

    @Test("an engine that has the vectors already gives the same", arguments: 0..<3)
    func warm(_ seed: UInt64) {
        var numbers = SeededNumbers(seed + 100)
        let engine = bench.engine(solutionCacheBytes: 1 << 20)
        for _ in 0..<3 {
            let order = Array(requests.indices).shuffled(using: &numbers)
            let some = Array(order.prefix(Int(numbers.uniform() * 23) + 1))
            #expect(shown(some, engine) == some.map { alone[$0] })
        }
        #expect(engine.counters.solutionCacheHits.value > 0)
    }

    @Test("a cache that holds few vectors gives the same")
    func tight() {
        let engine = bench.engine(solutionCacheBytes: 600)
        for _ in 0..<2 { #expect(shown(Array(requests.indices), engine) == alone) }
    }

    @Test("the same request twice in one go is solved once, and both get it")
    func twice() throws {
        let engine = bench.engine()
        #expect(shown([1, 1, 0], engine) == [alone[1], alone[1], alone[0]])
        #expect(engine.counters.batches.value == 1 && engine.counters.batchedRightHandSides.value == 4)
    }

    @Test("right-hand sides of one system are solved in one go, those of another apart, and failures take no others along")
    func batches() {
        let engine = bench.engine()
        // Rows 0; 1, 2, 3; row 0 again; then another seed; then another damping.
        #expect(shown([0, 1, 2, 3, 17], engine) == [0, 1, 2, 3, 17].map { alone[$0] })
        #expect(engine.counters.batches.value == 3)
        #expect(engine.counters.batchedRightHandSides.value == 4 + 1 + 2)
        #expect(engine.counters.solutionCacheHits.value == 0)
    }

    @Test(
        "a right-hand side without a solution is found out, and the others of its system are solved",
        arguments: [(0, 23), (10, 24)])
    func oneUnsolvable(_ sound: Int, _ unsolvable: Int) {
        let engine = bench.engine(solutionCacheBytes: 1 << 20)
        #expect(shown([unsolvable, sound], engine) == [alone[unsolvable], alone[sound]])
        // All together, and then each alone.
        #expect(engine.counters.batches.value == 2 + requests[sound].tests.count)
        #expect(engine.solutions.size.count == requests[sound].tests.count)
    }

    @Test("a vector that is kept is not computed again")
    func hits() {
        let engine = bench.engine(solutionCacheBytes: 1 << 20)
        #expect(shown([1], engine) == [alone[1]])
        #expect(engine.counters.solutionCacheMisses.value == 3 && engine.counters.solutionCacheHits.value == 0)
        #expect(engine.solutions.size.count == 3)
        #expect(shown([1, 0], engine) == [alone[1], alone[0]])
        #expect(engine.counters.solutionCacheMisses.value == 4 && engine.counters.solutionCacheHits.value == 3)
        #expect(engine.counters.batches.value == 2 && engine.counters.batchedRightHandSides.value == 4)
        #expect(engine.heldBytes >= engine.solutions.size.byteCount && engine.solutions.size.byteCount > 0)
    }

    @Test("without a cache nothing is kept, and a failure is not kept in any")
    func misses() {
        let none = bench.engine()
        for _ in 0..<2 { #expect(shown([0], none) == [alone[0]]) }
        #expect(none.counters.solutionCacheHits.value == 0 && none.counters.solutionCacheMisses.value == 2)
        let engine = bench.engine(solutionCacheBytes: 1 << 20)
        for _ in 0..<2 { #expect(shown([18], engine) == [alone[18]]) }
        #expect(engine.solutions.size.count == 0 && engine.counters.solutionCacheHits.value == 0)
    }

    @Test("a system whose factor would not fit is refused to each that asks, before any work")
    func noFactor() throws {
        // Room for the model and the gradients, not for a matrix of 681 rows.
        let bench = try CacheBench()
        let few = bench.engine(memoryBytes: 400_000, threads: 1)
        let request = try CacheBench.request([0, 1, 2], ["solver": ["name": "exact"]])
        let outcomes = few.influence(Array(repeating: .init(request: request, interruption: .never), count: 2))
        for outcome in outcomes {
            #expect { try outcome.get() } throws: { error in
                if case .tooLarge? = error as? SolverError { true } else { false }
            }
        }
        #expect(few.counters.batches.value == 0)
    }

    @Test("no questions have no answers")
    func nothing() { #expect(bench.engine().influence([]).isEmpty) }

    @Test("predictions and influences of one batch get answers in their places")
    func mixture() throws {
        let engine = bench.engine()
        let questions = [try Question.predict(0), Question(requests[0]), Question(requests[19]), try .predict(1)]
        let answers = engine.answer(questions.map { ($0, .never) })
        // The prediction's model does not exist here.
        #expect(throws: Problem.self) { try answers[0].get() }
        guard case .influence(.single(let first)) = try answers[1].get() else {
            Issue.record("an influence is answered as one")
            return
        }
        #expect(EngineBench.shown(.success(first)) == alone[0])
        #expect(throws: Problem.self) { try answers[2].get() }
        #expect(throws: Problem.self) { try answers[3].get() }
    }

    @Test("one that is interrupted among others fails alone", arguments: [0, 1, 2, 5, 20])
    func oneInterrupted(_ delay: Int) {
        // Raised from the start, or after so many looks.
        for victim in [0, 7, 8, 9, 10] {
            let looks = Atomic(0)
            let interruption = Interruption { looks.wrappingAdd(1, ordering: .relaxed).oldValue >= delay }
            let indices = [1, victim, 10, 9, 0].enumerated().filter { $0.offset == 1 || $0.element != victim }.map(\.element)
            let outcomes = bench.engine().influence(
                indices.enumerated().map { .init(request: requests[$1], interruption: $0 == 1 ? interruption : .never) })
            for (position, index) in indices.enumerated() where position != 1 {
                #expect(EngineBench.shown(outcomes[position]) == alone[index])
            }
            let own = EngineBench.shown(outcomes[1])
            #expect(own == alone[victim] || own == "failed: \(Interrupted())")
            if delay <= 1 { #expect(own == "failed: \(Interrupted())") }
        }
    }

    @Test("when none of them is wanted any more the work stops, though a request that could not be asked has not left")
    func allInterrupted() throws {
        let endless = try EngineBench.request([0], ["solver": EngineBench.lissa(["recursion_depth": 10_000_000])])
        let other = try EngineBench.request([1], ["solver": EngineBench.lissa(["recursion_depth": 10_000_000])])
        let engine = bench.engine()
        let isRaised = Atomic(false)
        let hasLeft = Atomic(false)
        let isDone = DispatchSemaphore(value: 0)
        let outcomes = Mutex<[String]>([])
        let asked: [Engine.Asked<InfluenceRequest>] = [
            .init(request: endless, interruption: Interruption { isRaised.load(ordering: .relaxed) }),
            .init(request: requests[19], interruption: .never),
            .init(request: other, interruption: Interruption { hasLeft.load(ordering: .relaxed) }),
        ]
        DispatchQueue.global().async {
            let shown = engine.influence(asked).map(EngineBench.shown)
            outcomes.withLock { $0 = shown }
            isDone.signal()
        }
        #expect(eventually { engine.counters.batches.value == 1 })
        #expect(engine.counters.batchedRightHandSides.value == 2)
        isRaised.store(true, ordering: .relaxed)
        // The other one still wants its vector.
        #expect(isDone.wait(timeout: .now() + .milliseconds(100)) == .timedOut)
        hasLeft.store(true, ordering: .relaxed)
        #expect(isDone.wait(timeout: .now() + 20) == .success)
        let interrupted = "failed: \(Interrupted())"
        #expect(outcomes.withLock { $0 } == [interrupted, alone[19], interrupted])
        #expect(engine.solutions.size.count == 0)
    }
}
