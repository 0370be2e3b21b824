import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// What caches of gradients are made of, on every kind of layer.
@Suite("Gradients for caches", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct CacheFactorsTests {
    private static let ranges = [0..<7, 7..<8, 20..<61, 8..<8, 3..<5]

    /// The ranges' gradients written out.
    private func written(
        _ model: TrainedNetwork, _ examples: LabeledExamples, _ ranges: [Range<Int>], threads: Int = 2
    ) throws -> [Float] {
        let count = ranges.reduce(0) { $0 + $1.count }
        let memory = AlignedMemory<Float>(uninitialized: count * model.network.parameterCount)
        try model.writeGradients(
            of: ranges, in: examples, into: memory.start, parallel: Parallel(threads: threads), interruption: .never)
        return memory.copy
    }

    @Test("the trained layers share θ out among themselves, in order", arguments: ModelFixture.names)
    func layers(name: String) throws {
        let network = try ModelFixture(name).network
        var next = 0
        for layer in network.trainedLayers {
            #expect(layer.parameters.lowerBound == next && !layer.parameters.isEmpty)
            next = layer.parameters.upperBound
            guard let linear = layer.linear else { continue }
            #expect(layer.parameters.count == linear.outputs * (linear.inputs + (linear.hasBias ? 1 : 0)))
        }
        #expect(next == network.parameterCount)
    }

    @Test("gradients written out together are PyTorch's, and those that are written out alone", arguments: ModelFixture.names)
    func gradients(name: String) throws {
        let fixture = try ModelFixture(name)
        let (model, p) = (fixture.trained, fixture.network.parameterCount)
        let some = try written(model, fixture.training, [0..<16])
        let expected = try fixture.numbers("train_gradients")
        let scale = expected.map { abs($0) }.max() ?? 1
        for (value, reference) in zip(some, expected) { #expect(abs(Double(value) - reference) < 1e-4 * scale) }
        for row in 0..<16 {
            let alone = try model.gradients(of: row..<row + 1, in: fixture.training)
            for (a, b) in zip(alone, some[row * p..<(row + 1) * p]) { #expect(abs(Double(a - b)) < 1e-5 * scale) }
        }
    }

    @Test("a gradient has the same bits whatever ranges are written, on any number of threads", arguments: ModelFixture.names)
    func independence(name: String) throws {
        let fixture = try ModelFixture(name)
        let p = fixture.network.parameterCount
        let together = try written(fixture.trained, fixture.training, Self.ranges, threads: 1)
        for threads in 2...3 {
            #expect(try written(fixture.trained, fixture.training, Self.ranges, threads: threads) == together)
        }
        var place = 0
        for range in Self.ranges {
            #expect(
                try written(fixture.trained, fixture.training, [range]) == Array(together[place * p..<(place + range.count) * p]))
            place += range.count
        }
    }

    @Test("scores from factors have the same bits however the factors are cut", arguments: ModelFixture.names, [1, 5, 64])
    func cuts(name: String, length: Int) throws {
        let fixture = try ModelFixture(name)
        let (model, n) = (fixture.trained, fixture.training.count)
        var numbers = SeededNumbers(3)
        let directions = numbers.floats(3 * fixture.network.parameterCount)
        let factors = AlignedMemory<Float>(uninitialized: n * model.factorWidth)
        try model.factors(of: 0..<n, in: fixture.training, into: factors.start, parallel: Parallel(threads: 2))
        let whole = try model.scores(
            of: .range(0..<n), in: fixture.training, factors: factors.start, along: directions, parallel: Parallel(threads: 2))
        let cut = AlignedMemory<Float>(uninitialized: 3 * n)
        for start in stride(from: 0, to: n, by: length) {
            let rows = start..<min(start + length, n)
            try model.writeScores(
                ofFactors: factors.start + start * model.factorWidth, of: .range(rows), in: fixture.training,
                along: directions, into: cut.start + start, stride: n, interruption: .never)
        }
        #expect(cut.copy == whole.copy)
    }

    @Test("writing ends when it is told to")
    func interruption() throws {
        let fixture = try ModelFixture("digits-cnn")
        let memory = AlignedMemory<Float>(uninitialized: 64 * fixture.network.parameterCount)
        #expect(throws: Interrupted()) {
            try fixture.trained.writeGradients(
                of: [0..<64], in: fixture.training, into: memory.start, parallel: Parallel(threads: 1),
                interruption: Interruption { true })
        }
    }
}
