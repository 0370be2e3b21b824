import Attribution
import InverseCurvature
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Influence on networks of every kind of layer and loss, from the curvature's own products to scores, against dense solves in double
/// precision.
@Suite("influence on networks of every kind", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct NetworkInfluenceTests {
    private let parallel = Parallel(threads: 2)

    /// Without the optimiser those whose explicit curvature takes seconds: all but the two largest.
    static let names = InfluenceFixture.names.filter {
        BuildConfiguration.isOptimized || !["digits-mlp", "digits-cnn"].contains($0)
    }

    private func system(_ fixture: InfluenceFixture) -> DampedCurvature {
        DampedCurvature(
            NetworkCurvature(fixture.kind, of: fixture.network, over: fixture.training),
            shift: fixture.network.network.weightDecay + fixture.damping)
    }

    @Test(
        "exact s_test and scores of all tests; self-influence and RelatIF's denominators of training examples", arguments: names)
    func exact(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let (network, system) = (fixture.network, system(fixture))
        let solver = try ExactSolver(factoring: system, memoryLimit: 1 << 30, parallel: parallel)
        let sides = try network.gradients(of: 0..<fixture.tests.count, in: fixture.tests)
        let solution = try solver.solve(sides, count: fixture.tests.count, in: system, parallel: parallel)
        #expect(solution.converged.allSatisfy { $0 })
        #expect(try Closeness.relativeDistance(solution.vectors, fixture.numbers("s_test")) < 1e-3)
        let gradients = NetworkGradients(model: network, examples: fixture.training)
        let scores = try gradients.scores(along: solution.vectors, parallel: parallel)
        #expect(try Closeness.relativeDistance(scores.values.copy, fixture.numbers("scores")) < 1e-3)

        // Training examples, a hundred evenly spread.
        let (n, p) = (fixture.training.count, network.network.parameterCount)
        let rows = Parallel.ranges(of: n, pieces: 100).map(\.lowerBound)
        let own = try rows.flatMap { try network.gradients(of: $0..<$0 + 1, in: fixture.training) }
        let solved = try solver.solve(own, count: rows.count, in: system, parallel: parallel).vectors
        var (influence, lengths): ([Double], [Double]) = ([], [])
        for place in rows.indices {
            let s = Array(solved[place * p..<(place + 1) * p])
            influence.append(Vectors.dot(s, Array(own[place * p..<(place + 1) * p])))
            lengths.append(Vectors.norm(s))
        }
        for (computed, file) in [
            (influence, "self_influence"), (lengths, "theta_relatif_denominator"),
            (influence.map { $0.squareRoot() }, "loss_relatif_denominator"),
        ] {
            let expected = try fixture.numbers(file)
            #expect(Closeness.relativeDistance(computed, rows.map { expected[$0] }) < 1e-3, "\(file)")
        }
    }

    @Test("the smallest and the largest eigenvalue of C + damping·I", arguments: names)
    func eigenvalues(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let system = system(fixture)
        let expected = try fixture.numbers("eigenvalues_min_max")
        let largest = try powerIteration(system.dimension, 40) { x in
            try zip(product(system.data, x), x).map { $0 + Float(system.shift) * $1 }
        }
        #expect(abs(largest - expected[1]) < 1e-3 * expected[1])
        // The largest of the inverse is one over the smallest.
        let solver = try ExactSolver(factoring: system, memoryLimit: 1 << 30, parallel: parallel)
        let inverse = try powerIteration(system.dimension, 500) { x in
            var y = x
            try solver.factor.solve(&y, count: 1, parallel: parallel, interruption: .never)
            return y
        }
        #expect(abs(1 / inverse - expected[0]) < 1e-3 * expected[0])
    }

    private func product(_ curvature: some CurvatureOperator, _ x: [Float]) throws -> [Float] {
        var y = x
        try curvature.product(of: x, to: &y, vectorCount: 1, parallel: parallel)
        return y
    }

    /// The Rayleigh quotient after some products.
    private func powerIteration(_ order: Int, _ steps: Int, _ multiply: ([Float]) throws -> [Float]) rethrows -> Double {
        var numbers = SeededNumbers(1)
        var x = numbers.floats(order)
        var value = 0.0
        for _ in 0..<steps {
            let length = Float(Vectors.norm(x))
            for i in x.indices { x[i] /= length }
            let y = try multiply(x)
            value = Vectors.dot(x, y)
            x = y
        }
        return value
    }

    @Test(
        "scores from kept factors, of all examples and of chosen ones, are those without them", arguments: InfluenceFixture.names)
    func factors(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let (network, training) = (fixture.network, fixture.training)
        let memory = AlignedMemory<Float>(uninitialized: training.count * network.factorWidth)
        try network.factors(of: 0..<training.count, in: training, into: memory.start, parallel: parallel)
        let kept = NetworkGradients(model: network, examples: training, factors: memory)
        let direct = NetworkGradients(model: network, examples: training)
        let directions = try fixture.numbers("s_test").prefix(3 * network.network.parameterCount).map { Float($0) }
        let all = try kept.scores(along: directions, parallel: parallel)
        #expect(
            try Closeness.relativeDistance(all.values.copy, direct.scores(along: directions, parallel: parallel).values.copy)
                < 1e-5)
        let chosen = [5, 0, 5, training.count - 1]
        for gradients in [kept, direct] {
            let full = try gradients.scores(along: directions, parallel: parallel)
            let some = try gradients.scores(of: .indices(chosen.map { UInt32($0) }), along: directions, parallel: parallel)
            for d in 0..<3 { #expect(some[d] == chosen.map { full[d][$0] }) }
        }
    }

    @Test("LiSSA with automatic settings points where the exact solution does", arguments: ["iris-mlp", "tokens-embedding"])
    func lissa(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let system = system(fixture)
        let spectrum = try SpectrumEstimate(of: system.data, parallel: parallel)
        let p = system.dimension
        let side = try fixture.network.gradients(of: 0..<1, in: fixture.tests)
        let solution = try LiSSA(.init(), spectrum: spectrum, exampleCount: fixture.training.count, shift: system.shift)
            .solve(side, count: 1, in: system, parallel: parallel)
        #expect(try Closeness.cosine(solution.vectors, Array(fixture.numbers("s_test").prefix(p))) > 0.99)
    }
}
