import Attribution
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("representer points of trained networks", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct RepresenterFixtureTests {
    private let parallel = Parallel(threads: 2)

    @Test("the values of all training examples sum to each test's outputs", arguments: InfluenceFixture.names)
    func decomposition(name: String) throws {
        let fixture = try InfluenceFixture(name)
        let hidden = try RetrainedLayer.hidden(of: fixture.training, in: fixture.network, parallel: parallel)
        let tests = try RetrainedLayer.hidden(of: fixture.tests, in: fixture.network, parallel: parallel)
        let layer = try RetrainedLayer(of: fixture.network, on: hidden, parallel: parallel)
        let points = try RepresenterPoints(of: layer, on: hidden, parallel: parallel)
        let places = Parallel.ranges(of: tests.count, pieces: 5).map(\.lowerBound)
        let directions = places.flatMap { test in
            (0..<points.outputCount).flatMap { points.direction(ofOutput: $0, features: tests.features.values(of: test)) }
        }
        let scores = try points.scores(along: directions, parallel: parallel)
        let sums = (0..<scores.directionCount).map { scores[$0].reduce(0) { $0 + Double($1) } }
        let outputs = try layer.network.outputs(of: tests.features).copy
        let expected = places.flatMap { outputs[$0 * points.outputCount..<($0 + 1) * points.outputCount] }
        #expect(Closeness.relativeDistance(sums, expected) < 1e-4)
        #expect(layer.unattributed < 1e-4)
        #expect((layer.shift.correlation ?? 0) > 0.9)
    }
}
