internal import LinearAlgebra

// The second way through the examples: eigenvalues in the bases, and the diagonal of what has no bases.
extension KroneckerEstimate {
    /// The blocks, those of `layers` first.
    func blocks(
        in bases: [KroneckerBasis], _ parallel: Parallel, _ interruption: Interruption
    ) throws -> [CurvatureBlock] {
        var offsets: [Int] = []
        var length = 0
        for layer in layers {
            offsets.append(length)
            length += layer.outputs * layer.order
        }
        let dimension = curvature.dimension
        let pieces = pieces(dimension)
        let sums = AlignedMemory<Float>(repeating: 0, count: pieces.count * length)
        let squares = AlignedMemory<Float>(repeating: 0, count: others.isEmpty ? 0 : pieces.count * dimension)
        try parallel.forEach(pieces.count, interruption: interruption) { [offsets, length] piece in
            let sums = sums.start + piece * length
            let rotations = zip(layers, bases).enumerated().map { index, pair in
                KroneckerRotation(pair.0, pair.1, rows: network.rowsAtATime, addingTo: sums + offsets[index])
            }
            try addEigenvalues(
                of: pieces[piece], rotations, squares: others.isEmpty ? nil : squares.start + piece * dimension, interruption)
        }
        let factor = scale / Double(sample.count)
        func mean(_ sums: AlignedMemory<Float>, _ length: Int, _ part: Range<Int>, _ name: String) throws -> AlignedMemory<Float>
        {
            let mean = AlignedMemory<Float>(uninitialized: part.count)
            for i in 0..<part.count {
                if i % 65_536 == 0 { try interruption.check() }
                let sum = pieces.indices.reduce(0) { $0 + Double(sums.start[$1 * length + part.lowerBound + i]) }
                mean.start[i] = Float(factor * sum)
                guard mean.start[i].isFinite else { throw KroneckerError.notFinite(layer: name) }
            }
            return mean
        }
        var blocks: [CurvatureBlock] = []
        for (index, (layer, basis)) in zip(layers, bases).enumerated() {
            try interruption.check()
            let part = offsets[index]..<offsets[index] + layer.outputs * layer.order
            blocks.append(
                .kronecker(
                    KroneckerBlock(
                        outputs: layer.outputs, inputs: layer.inputs, weights: layer.weights, biases: layer.biases,
                        inputVectors: basis.inputs, outputVectors: basis.outputs,
                        eigenvalues: try mean(sums, length, part, layer.name))))
        }
        for (index, part) in others.sorted(by: { $0.key < $1.key }) {
            try interruption.check()
            let values = try mean(squares, dimension, part, network.steps[index].name)
            blocks.append(.diagonal(offset: part.lowerBound, values: values))
        }
        return blocks
    }

    private var network: Network { curvature.model.network }

    private func addEigenvalues(
        of piece: Range<Int>, _ rotations: [KroneckerRotation], squares: UnsafeMutablePointer<Float>?,
        _ interruption: Interruption
    ) throws {
        let gradient = AlignedMemory<Float>(repeating: 0, count: squares == nil ? 0 : curvature.dimension)
        let diagonal = Set(others.keys)
        try forEachRoot(of: piece, interruption) { chunk, root, pass, _ in
            for rotation in rotations {
                let (x, dy) = pass.factors(of: rotation.layer.step)
                let step = pass.network.steps[rotation.layer.step]
                try rotation.add(
                    x: x, stride: step.inputWidth, dy: dy, stride: step.outputWidth, rows: chunk.count, isFirst: root == 0,
                    isLast: root == rootCount - 1
                ) { try pass.check(after: $0) }
            }
            guard let squares else { return }
            try pass.addSquares(
                of: diagonal, curvature.model.computation.parameters, to: squares, gradient: gradient.start)
        }
        withExtendedLifetime(gradient) {}
    }
}
