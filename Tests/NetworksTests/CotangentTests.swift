import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

/// Gradients of functions of the outputs, from what stands at the outputs.
@Suite("gradients of the outputs, taken back")
struct CotangentTests {
    private let parallel = Parallel(threads: 2)

    @Test("Jᵀu · v is u · Jv, by finite differences of the outputs in double precision, whatever the examples' weights")
    func adjoint() throws {
        for subject in try RandomNetwork.all(count: 11, weighted: true) {
            let (network, count) = (subject.network, 11)
            var numbers = SeededNumbers(4)
            let u = numbers.floats(count * network.outputWidth)
            var v = numbers.floats(network.parameterCount)
            for step in network.steps {
                guard case .embedding(let table) = step.operation, let padding = table.padding else { continue }
                // The padding id's row is not trained, and so no direction moves it.
                for i in 0..<table.width { v[table.weight.offset + padding * table.width + i] = 0 }
            }
            func outputs(_ step: Double, _ v: [Float]) throws -> [Double] {
                let theta = zip(subject.parameters, v).map { Double($0) + step * Double($1) }
                return try Computation<Double>(network, parameters: theta, fixed: subject.fixed.map { Double($0) })
                    .outputs(of: .range(0..<count), subject.examples.features, parallel: parallel, interruption: .never).copy
            }
            let (above, below) = (try outputs(1e-5, v), try outputs(-1e-5, v))
            let gradients = try subject.trained.exampleGradients(
                of: 0..<count, in: subject.examples, from: .given(u), parallel: parallel)
            let length = network.parameterCount
            for example in 0..<count {
                let places = example * network.outputWidth..<(example + 1) * network.outputWidth
                let slopes = places.map { Double(u[$0]) * (above[$0] - below[$0]) / 2e-5 }
                let product = Vectors.dot(Array(gradients.vectors[example * length..<(example + 1) * length]), v)
                let size = slopes.reduce(1) { $0 + abs($1) }
                #expect(abs(product - slopes.reduce(0, +)) < 2e-5 * size, "\(subject.testDescription)")
            }
        }
    }

    @Test(
        "the loss's own gradients and factors come back from the loss, and from given gradients that are the loss's, to the last bit"
    )
    func loss() throws {
        for subject in try RandomNetwork.all(count: 9, weighted: true) {
            let (trained, examples) = (subject.trained, subject.examples)
            let own = try trained.exampleGradients(of: 0..<9, in: examples, parallel: parallel)
            #expect(try own.vectors == trained.gradients(of: 0..<9, in: examples))
            let factors = try trained.factors(of: examples)
            #expect(own.factors?.rows == factors)
            // The last step's δ is that of the outputs where that step has weights.
            let layout = trained.layout
            guard let last = layout.parts.last, last.step == subject.network.steps.count - 1 else { continue }
            let given = (0..<9).flatMap { row in last.dy.map { factors[row * layout.width + $0] } }
            let again = try trained.exampleGradients(of: 0..<9, in: examples, from: .given(given), parallel: parallel)
            #expect(again.vectors == own.vectors && again.factors?.rows == own.factors?.rows)
            #expect(try trained.gradients(of: 0..<9, in: examples, from: .given(given)) == own.vectors)
        }
    }

    @Test("each is the same alone, joined and scaled")
    func together() throws {
        for subject in try RandomNetwork.all(count: 300) {
            let (trained, examples) = (subject.trained, subject.examples)
            var numbers = SeededNumbers(5)
            let (rows, width) = (3..<290, subject.network.outputWidth)
            let u = numbers.floats(rows.count * width)
            let all = try trained.exampleGradients(of: rows, in: examples, from: .given(u), parallel: parallel)
            let alone = try [0, 200, 286].map { place in
                try trained.exampleGradients(
                    of: rows.lowerBound + place..<rows.lowerBound + place + 1, in: examples,
                    from: .given(Array(u[place * width..<(place + 1) * width])))
            }
            let joined = ExampleGradients(joining: alone)
            let factors = try #require(all.factors)
            #expect(joined.vectors == Self.picked([0, 200, 286], from: all.vectors, subject.network.parameterCount))
            #expect(joined.factors?.rows == Self.picked([0, 200, 286], from: factors.rows, trained.factorWidth))
            let inputs: [Float] = [3, 203, 289].flatMap { examples.features.values(of: $0) }
            #expect(joined.factors?.inputs == inputs)
            // Twice u gives twice the gradient, exactly.
            let doubled = try trained.exampleGradients(of: rows, in: examples, from: .given(u.map { 2 * $0 }), parallel: parallel)
            let scaled = all.scaled(by: [Float](repeating: 2, count: rows.count))
            #expect(scaled.vectors == doubled.vectors && scaled.factors?.rows == doubled.factors?.rows)
        }
    }

    private static func picked(_ rows: [Int], from all: [Float], _ width: Int) -> [Float] {
        rows.flatMap { Array(all[$0 * width..<($0 + 1) * width]) }
    }

    @Test("no examples have no gradients; numbers that are none come back as such; and the way stops when told")
    func ends() throws {
        let subject = try RandomNetwork.all(count: 5)[0]
        #expect(try subject.trained.exampleGradients(of: 2..<2, in: subject.examples).vectors.isEmpty)
        let u = [Float](repeating: .nan, count: subject.network.outputWidth)
        let lost = try subject.trained.exampleGradients(of: 0..<1, in: subject.examples, from: .given(u))
        #expect(lost.vectors.allSatisfy { $0.isNaN })
        #expect(throws: Interrupted()) {
            try subject.trained.exampleGradients(of: 0..<5, in: subject.examples, interruption: Interruption { true })
        }
        let bare = ExampleGradients(vectors: lost.vectors, count: 1)
        #expect(ExampleGradients(joining: [bare, lost]).factors == nil)
    }
}
