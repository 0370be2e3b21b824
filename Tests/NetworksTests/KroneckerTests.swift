import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@testable import Networks

/// Factored curvatures against the explicit curvature and sums written out.
@Suite("networks: Kronecker-factored eigenbases")
struct KroneckerTests {
    private static let limit = 1 << 30
    private static let networks = Result { try RandomNetwork.all() + RandomNetwork.all(weighted: true) + more() }
    private var networks: [RandomNetwork] { get throws { try Self.networks.get() } }

    /// Windows of every kind, depth-wise groups, and a layer on several positions.
    private static func more() throws -> [RandomNetwork] {
        [
            try RandomNetwork(
                "uneven windows",
                """
                {"type": "conv2d", "in_channels": 2, "out_channels": 3, "kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 2],
                "dilation": [1, 2], "bias": false}, {"type": "tanh"}, {"type": "flatten"},
                {"type": "linear", "in_features": 63, "out_features": 2}
                """, more: #", "input_shape": [2, 6, 5]"#, weighted: true),
            try RandomNetwork(
                "windows as large as their images, and nearly so",
                """
                {"type": "conv2d", "in_channels": 4, "out_channels": 6, "kernel_size": 3, "groups": 2}, {"type": "tanh"},
                {"type": "conv2d", "in_channels": 6, "out_channels": 4, "kernel_size": 2, "groups": 2}, {"type": "flatten"},
                {"type": "linear", "in_features": 4, "out_features": 3}
                """, more: #", "input_shape": [4, 4, 4]"#),
            try RandomNetwork(
                "a convolution for each channel",
                """
                {"type": "conv2d", "in_channels": 3, "out_channels": 3, "kernel_size": 2, "groups": 3}, {"type": "sigmoid"},
                {"type": "flatten"}, {"type": "linear", "in_features": 27, "out_features": 1}
                """, more: #", "input_shape": [3, 4, 4]"#, loss: #"{"type": "mean_squared_error"}"#),
        ]
    }

    private func blocks(
        _ kind: CurvatureKind, _ subject: RandomNetwork, examples: Int? = nil, threads: Int = 2,
        interruption: Interruption = .never
    ) throws -> [CurvatureBlock] {
        try NetworkCurvature(kind, of: subject.trained, over: subject.examples).kroneckerBlocks(
            KroneckerSettings(examples: examples, memoryLimit: Self.limit), parallel: Parallel(threads: threads),
            interruption: interruption
        ).blocks
    }

    private func dense(_ memory: AlignedMemory<Float>, _ rows: Int) -> DenseMatrix {
        DenseMatrix(rows: rows, columns: memory.count / rows, elements: memory.copy.map { Double($0) })
    }

    /// Where the block's W̃ [C, D̃] lies in θ, row after row.
    private func places(_ block: KroneckerBlock) -> [Int] {
        (0..<block.outputs).flatMap { output in
            (0..<block.order).map {
                $0 < block.inputs ? block.weights + output * block.inputs + $0 : (block.biases ?? 0) + output
            }
        }
    }

    @Test(
        "eigenvalues are the diagonal of the explicit curvature in the bases, which are orthonormal, and the rest is its own diagonal",
        arguments: [CurvatureKind.gaussNewton, .empiricalFisher])
    func eigenvalues(kind: CurvatureKind) throws {
        for subject in try networks where subject.network.outputWidth <= 32 {
            let explicit = try NetworkCurvature(kind, of: subject.trained, over: subject.examples).explicit()
            for block in try blocks(kind, subject) {
                guard case .kronecker(let block) = block else {
                    let part = block.parameters[0]
                    let error = Closeness.largestError(block.eigenvalues.copy, part.map { explicit[$0, $0] })
                    #expect(error < 1e-5, "\(subject.testDescription)")
                    continue
                }
                let (a, g) = (dense(block.inputVectors, block.order), dense(block.outputVectors, block.outputs))
                for q in [a, g] {
                    let identity = DenseMatrix(diagonal: [Double](repeating: 1, count: q.rows))
                    #expect(Closeness.largestError((q * q.transposed).elements, identity.elements) < 1e-5)
                }
                let places = places(block)
                var expected: [Double] = []
                for i in 0..<block.outputs {
                    for j in 0..<block.order {
                        let u = (0..<block.outputs).flatMap { c in (0..<block.order).map { g[i, c] * a[j, $0] } }
                        var sum = 0.0
                        for (x, row) in zip(u, places) {
                            for (y, column) in zip(u, places) { sum += x * y * explicit[row, column] }
                        }
                        expected.append(sum)
                    }
                }
                #expect(Closeness.largestError(block.eigenvalues.copy, expected) < 2e-5, "\(subject.testDescription)")
            }
        }
    }

    @Test("bases diagonalise the sums of outer products of what goes into a layer and of the gradients of what comes out")
    func bases() throws {
        for subject in try networks {
            let layers = KroneckerLayer.all(of: subject.network)
            let found = try blocks(.empiricalFisher, subject).compactMap { block -> KroneckerBlock? in
                guard case .kronecker(let block) = block else { return nil }
                return block
            }
            #expect(found.map(\.weights) == layers.map(\.weights) && found.map(\.biases) == layers.map(\.biases))
            for (layer, block) in zip(layers, found) {
                let (a, g) = try factors(of: layer, subject)
                for (matrix, vectors) in [(a, block.inputVectors), (g, block.outputVectors)] {
                    let q = dense(vectors, matrix.rows)
                    var rotated = q * matrix * q.transposed
                    let largest = rotated.elements.map { abs($0) }.max() ?? 0
                    for i in 0..<matrix.rows { rotated[i, i] = 0 }
                    #expect(rotated.elements.allSatisfy { abs($0) <= 1e-5 * largest }, "\(subject.testDescription)")
                }
            }
        }
    }

    /// Σ w x̃x̃ᵀ and Σ δδᵀ of the empirical Fisher matrix, from x and the gradients that the network's way back leaves.
    private func factors(of layer: KroneckerLayer, _ subject: RandomNetwork) throws -> (DenseMatrix, DenseMatrix) {
        let sums = Mutex(
            (a: DenseMatrix(rows: layer.order, columns: layer.order), g: DenseMatrix(rows: layer.outputs, columns: layer.outputs))
        )
        let step = subject.network.steps[layer.step]
        let trained = try #require(subject.network.trainedLayers.first { $0.step == layer.step })
        let examples = subject.examples
        try subject.trained.forEachFactors(
            of: [0..<examples.count], in: examples, parallel: Parallel(threads: 1), interruption: .never
        ) { place, factors in
            for row in 0..<factors.count {
                let weight = Double(examples.weight(place + row))
                guard weight > 0 else { continue }
                let x = UnsafeBufferPointer(start: factors.inputs(of: trained) + row * step.inputWidth, count: step.inputWidth)
                let dy = factors.outputGradients(of: trained) + row * step.outputWidth
                for position in 0..<layer.positions {
                    let input = patch(Array(x), layer, step, position) + (layer.biases == nil ? [] : [1])
                    let isImage = if case .convolution = step.operation { true } else { false }
                    let first = layer.weights - step.trained.lowerBound
                    let group = isImage ? first / (layer.inputs * layer.outputs) : 0
                    let delta = (0..<layer.outputs).map { output -> Double in
                        let channel = group * layer.outputs + output
                        return Double(isImage ? dy[channel * layer.positions + position] : dy[position * layer.outputs + output])
                    }
                    sums.withLock { sums in
                        for i in input.indices { for j in input.indices { sums.a[i, j] += weight * input[i] * input[j] } }
                        for i in delta.indices { for j in delta.indices { sums.g[i, j] += delta[i] * delta[j] / weight } }
                    }
                }
            }
        }
        return sums.withLock { $0 }
    }

    /// What a position of a layer reads: a patch of the padded image.
    private func patch(_ x: [Float], _ layer: KroneckerLayer, _ step: Step, _ position: Int) -> [Double] {
        guard case .convolution(let convolution) = step.operation else {
            return x[position * layer.inputs..<(position + 1) * layer.inputs].map { Double($0) }
        }
        let (window, input, output) = (convolution.window, convolution.input, convolution.output)
        let group = (layer.weights - step.trained.lowerBound) / (layer.inputs * layer.outputs)
        let channels = convolution.inChannels / convolution.groups
        let (padding, width) = (window.padding, input.width + 2 * window.padding.width)
        let height = input.height + 2 * padding.height
        var padded = [Double](repeating: 0, count: convolution.inChannels * height * width)
        for c in 0..<convolution.inChannels {
            for i in 0..<input.height {
                for j in 0..<input.width {
                    padded[(c * height + i + padding.height) * width + j + padding.width] =
                        Double(x[(c * input.height + i) * input.width + j])
                }
            }
        }
        let (r, s) = (position / output.width * window.stride.height, position % output.width * window.stride.width)
        return (0..<layer.inputs).map { tap in
            let c = group * channels + tap / (window.kernel.height * window.kernel.width)
            let (i, j) = (tap / window.kernel.width % window.kernel.height, tap % window.kernel.width)
            return padded[(c * height + r + i * window.dilation.height) * width + s + j * window.dilation.width]
        }
    }

    @Test("rows that are too many to be kept are summed before they are rotated, with the same result")
    func manyRows() throws {
        let subject = try RandomNetwork(
            "a large image",
            """
            {"type": "conv2d", "in_channels": 2, "out_channels": 4, "kernel_size": 3, "groups": 2}, {"type": "flatten"},
            {"type": "linear", "in_features": 1600, "out_features": 2}
            """, more: #", "input_shape": [2, 22, 22]"#, count: 2)
        var numbers = SeededNumbers(6)
        let (x, dy) = (numbers.floats(3 * 968), numbers.floats(3 * 1600))
        for layer in KroneckerLayer.all(of: subject.network).prefix(2) {
            func basis(_ order: Int) throws -> AlignedMemory<Float> {
                var seeded = SeededNumbers(7)
                let matrix = DenseMatrix.symmetric(eigenvalues: (1...order).map { Double($0) }, random: &seeded)
                let eigen = try SymmetricEigen(lower: AlignedMemory(copying: matrix.elements), order: order)
                return AlignedMemory(copying: eigen.vectors.copy.map { Float($0) })
            }
            let bases = KroneckerBasis(inputs: try basis(layer.order), outputs: try basis(layer.outputs))
            let sums = try [KroneckerRotation.mostNumbers, 0].map { most in
                let sum = AlignedMemory<Float>(repeating: 0, count: layer.order * layer.outputs)
                let rotation = KroneckerRotation(layer, bases, rows: 3, addingTo: sum.start, mostNumbers: most)
                for root in 0..<2 {
                    try rotation.add(
                        x: x, stride: 968, dy: dy, stride: 1600, rows: 3, isFirst: root == 0, isLast: root == 1
                    ) { _ in }
                }
                return sum.copy
            }
            #expect(sums[0] != sums[1] && Closeness.largestError(sums[0], sums[1]) < 1e-4)
        }
    }

    @Test("the Hessian has the blocks of the Gauss-Newton matrix")
    func hessian() throws {
        let subject = try networks[0]
        #expect(try bits(blocks(.hessian, subject)) == bits(blocks(.gaussNewton, subject)))
    }

    @Test("with more outputs than are taken one by one, random signs are right in the mean")
    func draws() throws {
        let subject = try #require(try networks.first { $0.network.outputWidth > 32 })
        let explicit = try NetworkCurvature(.gaussNewton, of: subject.trained, over: subject.examples).explicit()
        let trace = (0..<explicit.rows).reduce(0) { $0 + explicit[$1, $1] }
        var settings = KroneckerSettings(memoryLimit: Self.limit)
        settings.draws = 200
        let curvature = NetworkCurvature(.gaussNewton, of: subject.trained, over: subject.examples)
        let found = try curvature.kroneckerBlocks(settings, parallel: Parallel(threads: 2)).blocks
        let sum = found.reduce(0) { $1.eigenvalues.copy.reduce($0) { $0 + Double($1) } }
        #expect(abs(sum / trace - 1) < 0.05)
    }

    @Test("the bits do not depend on the threads; a sample of all examples is all of them, and one of some is other numbers")
    func determinism() throws {
        for subject in try networks {
            let all = try bits(blocks(.gaussNewton, subject, threads: 1))
            #expect(try all == bits(blocks(.gaussNewton, subject, threads: 3)), "\(subject.testDescription)")
            #expect(try all == bits(blocks(.gaussNewton, subject, examples: 40)), "\(subject.testDescription)")
            #expect(try all != bits(blocks(.gaussNewton, subject, examples: 13)), "\(subject.testDescription)")
        }
    }

    private func bits(_ blocks: [CurvatureBlock]) -> [[UInt32]] {
        blocks.map { block in
            var numbers = block.eigenvalues.copy
            if case .kronecker(let block) = block { numbers += block.inputVectors.copy + block.outputVectors.copy }
            return numbers.map(\.bitPattern)
        }
    }

    @Test("an example with weight 2 counts as two of it, and one with weight 0 as none")
    func weights() throws {
        let layers = #"{"type": "linear", "in_features": 4, "out_features": 3}"#
        let subject = try RandomNetwork("weighted", layers, count: 12, weighted: true)
        let counts = [0, 1, 2, 1, 3]
        let repeated = (0..<12).flatMap { [Int](repeating: $0, count: counts[$0 % 5]) }
        guard case .labels(let labels) = subject.examples.targets else { return }
        let plain = LabeledExamples(
            features: FeatureRows(repeated.flatMap { subject.examples.features.values(of: $0) }, width: 4),
            targets: .labels(repeated.map { labels[$0] }))
        let whole = LabeledExamples(
            features: subject.examples.features, targets: subject.examples.targets,
            weights: (0..<12).map { Float(counts[$0 % 5]) })
        let found = try [plain, whole].map { examples in
            try NetworkCurvature(.gaussNewton, of: subject.trained, over: examples).kroneckerBlocks(
                KroneckerSettings(memoryLimit: Self.limit), parallel: Parallel(threads: 1)
            ).blocks[0].eigenvalues.copy.map { Double($0) * Double(examples.count) }
        }
        #expect(Closeness.largestError(found[0], found[1]) < 1e-4)
    }

    @Test("wherever it is told to stop, it stops")
    func interruption() throws {
        for subject in try networks.prefix(2) {
            let asked = Atomic(0)
            _ = try blocks(
                .gaussNewton, subject, interruption: Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue < 0 })
            let questions = asked.load(ordering: .relaxed)
            #expect(questions > 4)
            for limit in 1...questions {
                let asked = Atomic(0)
                #expect(throws: Interrupted()) {
                    try blocks(
                        .gaussNewton, subject, threads: 1,
                        interruption: Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue >= limit })
                }
            }
        }
    }

    @Test(
        "factors that would not fit are refused before any work, and numbers beyond single precision are an error that names the layer"
    )
    func refusals() throws {
        let subject = try networks[0]
        let curvature = NetworkCurvature(.gaussNewton, of: subject.trained, over: subject.examples)
        #expect {
            try curvature.kroneckerBlocks(
                KroneckerSettings(memoryLimit: 1000), parallel: Parallel(threads: 1), interruption: Interruption { true })
        } throws: { error in
            guard case .tooLarge(let layer, let bytes, 1000) = error as? KroneckerError else { return false }
            return layer == "0" && bytes > 1000
        }
        let huge = LabeledExamples(
            features: FeatureRows([Float](repeating: 1e30, count: 240), width: 6), targets: subject.examples.targets)
        #expect(throws: KroneckerError.notFinite(layer: "0")) {
            try NetworkCurvature(.gaussNewton, of: subject.trained, over: huge).kroneckerBlocks(
                KroneckerSettings(memoryLimit: Self.limit), parallel: Parallel(threads: 1))
        }
    }
}
