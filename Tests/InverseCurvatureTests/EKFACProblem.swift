import InverseCurvature
import LinearAlgebra
import TestSupport

/// Blocks with random orthogonal bases, and the matrix that they stand for, written out by its definition.
struct EKFACProblem {
    let blocks: [CurvatureBlock]
    /// D̂.
    let dense: DenseMatrix

    /// Two layers, one of them with biases that do not follow its weights, a group of one output, and a diagonal between them.
    init(seed: UInt64 = 3) throws {
        var numbers = SeededNumbers(seed)
        let biased = try Self.block(outputs: 3, inputs: 5, weights: 4, biases: 26, random: &numbers)
        let plain = try Self.block(outputs: 4, inputs: 2, weights: 29, biases: nil, random: &numbers)
        let single = try Self.block(outputs: 1, inputs: 6, weights: 19, biases: 25, random: &numbers)
        let diagonal = AlignedMemory(copying: (0..<4).map { _ in Float(numbers.uniform()) })
        blocks = [.kronecker(biased), .kronecker(plain), .kronecker(single), .diagonal(offset: 0, values: diagonal)]
        var dense = DenseMatrix(rows: 37, columns: 37)
        for block in [biased, plain, single] { Self.add(block, to: &dense) }
        for i in 0..<4 { dense[i, i] = Double(diagonal.start[i]) }
        self.dense = dense
    }

    private static func basis(_ order: Int, random numbers: inout SeededNumbers) throws -> AlignedMemory<Float> {
        let spectrum = (0..<order).map { Double($0 + 1) }
        let matrix = DenseMatrix.symmetric(eigenvalues: spectrum, random: &numbers)
        let eigen = try SymmetricEigen(lower: AlignedMemory(copying: matrix.elements), order: order)
        return AlignedMemory(copying: eigen.vectors.copy.map { Float($0) })
    }

    static func block(
        outputs: Int, inputs: Int, weights: Int, biases: Int?, random numbers: inout SeededNumbers
    ) throws -> KroneckerBlock {
        let order = inputs + (biases == nil ? 0 : 1)
        return KroneckerBlock(
            outputs: outputs, inputs: inputs, weights: weights, biases: biases,
            inputVectors: try basis(order, random: &numbers), outputVectors: try basis(outputs, random: &numbers),
            eigenvalues: AlignedMemory(copying: (0..<outputs * order).map { _ in Float(numbers.uniform()) }))
    }

    /// Σᵢⱼ Λᵢⱼ·uᵢⱼuᵢⱼᵀ with uᵢⱼ = gᵢ ⊗ aⱼ in θ's places, gᵢ and aⱼ being rows of Q_G and Q_A.
    private static func add(_ block: KroneckerBlock, to dense: inout DenseMatrix) {
        let order = block.order
        func place(_ output: Int, _ input: Int) -> Int {
            if input < block.inputs { return block.weights + output * block.inputs + input }
            return (block.biases ?? 0) + output
        }
        for i in 0..<block.outputs {
            for j in 0..<order {
                var u = [Double](repeating: 0, count: dense.rows)
                for output in 0..<block.outputs {
                    for input in 0..<order {
                        u[place(output, input)] =
                            Double(block.outputVectors.start[i * block.outputs + output])
                            * Double(block.inputVectors.start[j * order + input])
                    }
                }
                let value = Double(block.eigenvalues.start[i * order + j])
                for a in u.indices { for b in u.indices { dense[a, b] += value * u[a] * u[b] } }
            }
        }
    }

    /// Some bits of every number.
    static func fingerprint(_ blocks: [CurvatureBlock]) -> [[UInt32]] {
        blocks.map { block in
            var numbers = block.eigenvalues.copy
            if case .kronecker(let block) = block { numbers += block.inputVectors.copy + block.outputVectors.copy }
            return numbers.map(\.bitPattern)
        }
    }
}
