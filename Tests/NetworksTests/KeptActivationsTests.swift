import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Networks

/// What products share, kept from one to the next.
@Suite("networks: kept activations")
struct KeptActivationsTests {
    /// Several chunks of each network, and networks with layers that are not trained before those that are, and behind.
    private static let networks = Result {
        let (linear, norm) = (#""type": "linear", "in_features""#, #"{"type": "layer_norm", "normalized_shape": [5]"#)
        return try RandomNetwork.all(count: 700) + RandomNetwork.all(count: 75, weighted: true) + [
            RandomNetwork(
                "frozen below and above",
                """
                {\(linear): 6, "out_features": 7, "trainable": false}, {"type": "relu"}, {\(linear): 7, "out_features": 5}, \(norm)},
                {"type": "silu"}, {\(linear): 5, "out_features": 5, "trainable": false}, \(norm), "elementwise_affine": false},
                {\(linear): 5, "out_features": 3}
                """, count: 700)
        ]
    }

    private static let plenty = 1 << 24

    private func both(_ kind: CurvatureKind, _ subject: RandomNetwork) -> (without: NetworkCurvature, with: NetworkCurvature) {
        (
            NetworkCurvature(kind, of: subject.trained, over: subject.examples),
            NetworkCurvature(kind, of: subject.trained, over: subject.examples, activationLimit: Self.plenty)
        )
    }

    @Test(
        "products have the bits that they have without, over all examples and over chosen ones", arguments: CurvatureKind.allCases
    )
    func bits(kind: CurvatureKind) throws {
        for subject in try Self.networks.get() {
            let (without, with) = both(kind, subject)
            var numbers = SeededNumbers(5)
            let vectors = numbers.floats(3 * without.dimension)
            let chosen = numbers.integers(300, below: subject.examples.count).map { UInt32($0) }
            let batches = [[chosen[0]], Array(chosen[..<32]), chosen]
            let expected = try [without.products(of: vectors)] + batches.map { try without.products(of: vectors, over: $0) }
            // First before anything is kept.
            #expect(try with.products(of: vectors, over: batches[1]) == expected[2], "\(subject.testDescription)")
            #expect(with.holdsActivations == false)
            for threads in [1, 2, 3] {
                #expect(try with.products(of: vectors, threads: threads) == expected[0], "\(subject.testDescription)")
                #expect(with.holdsActivations)
                for (batch, expected) in zip(batches, expected.dropFirst()) {
                    #expect(try with.products(of: vectors, over: batch) == expected, "\(subject.testDescription)")
                }
            }
        }
    }

    @Test("nothing is kept beyond the limit, and what is kept is what was said", arguments: CurvatureKind.allCases)
    func limit(kind: CurvatureKind) throws {
        for subject in try Self.networks.get() {
            let bytes = try #require(
                NetworkCurvature.activationByteCount(kind, of: subject.network, exampleCount: subject.examples.count))
            for (limit, expected) in [(0, 0), (bytes - 1, 0), (bytes, bytes), (Int.max, bytes)] {
                let curvature = NetworkCurvature(
                    kind, of: subject.trained, over: subject.examples, activationLimit: limit)
                #expect(curvature.keptByteCount == expected)
                try curvature.keepActivations(parallel: Parallel(threads: 2))
                #expect(curvature.holdsActivations == (expected > 0))
            }
            #expect(NetworkCurvature.activationByteCount(kind, of: subject.network, exampleCount: .max) == nil)
        }
    }

    @Test("an explicit matrix has the same bits")
    func explicit() throws {
        let subject = try Self.networks.get()[0]
        let (without, with) = both(.hessian, subject)
        let matrices = try [without, with].map { curvature in
            let matrix = PackedSymmetricMatrix(uninitializedOrder: curvature.dimension)
            matrix.memory.elements.initialize(repeating: 0)
            try curvature.write(plus: 0.25, to: matrix, parallel: Parallel(threads: 2), interruption: .never)
            return matrix.memory.copy
        }
        #expect(matrices[0] == matrices[1])
        #expect(with.holdsActivations)
    }

    @Test("of many who ask at once one makes them, and all get the same")
    func together() throws {
        let subject = try Self.networks.get()[1]
        let (without, with) = both(.hessian, subject)
        var numbers = SeededNumbers(6)
        let vectors = numbers.floats(without.dimension)
        let expected = try without.products(of: vectors)
        let results = Mutex<[[Float]]>([])
        try Parallel(threads: 4).forEach(8) { _ in
            let product = try with.products(of: vectors, threads: 1)
            results.withLock { $0.append(product) }
        }
        #expect(results.withLock { $0 } == Array(repeating: expected, count: 8))
        #expect(with.holdsActivations)
    }

    @Test("who is interrupted while making them leaves it to the next")
    func interruption() throws {
        let subject = try Self.networks.get()[0]
        let (without, with) = both(.gaussNewton, subject)
        var numbers = SeededNumbers(7)
        let vectors = numbers.floats(without.dimension)
        var image = vectors
        let questions = Mutex(0)
        let soon = Interruption {
            questions.withLock {
                $0 += 1
                return $0 > 2
            }
        }
        #expect(throws: Interrupted.self) {
            try with.product(of: vectors, to: &image, vectorCount: 1, parallel: Parallel(threads: 2), interruption: soon)
        }
        #expect(!with.holdsActivations)
        #expect(try with.products(of: vectors) == without.products(of: vectors))
        #expect(with.holdsActivations)
    }
}
