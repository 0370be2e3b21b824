public import LinearAlgebra

extension EKFAC {
    /// (D + λI)⁻¹ for one λ.
    ///
    /// 4·p·(C + D̃) flops for each right-hand side and block of C × D̃ weights. Products of matrices are those of `MatrixProduct`, in which
    /// rows never meet: a right-hand side's image has the bits that it would have alone, on any number of threads.
    public struct Inverse: RootedPreconditioner {
        private let approximation: EKFAC
        /// 1/(Λ + λ), block after block; for the root, its root.
        private let reciprocals: AlignedMemory<Float>

        /// p.
        public var dimension: Int { approximation.dimension }

        /// - Throws: `SolverError.notPositiveDefinite` where a reciprocal is not a positive number of single precision.
        init(_ approximation: EKFAC, shift: Double) throws(SolverError) {
            self.approximation = approximation
            reciprocals = AlignedMemory(uninitialized: approximation.dimension)
            var next = reciprocals.start
            for block in approximation.blocks {
                let values = block.eigenvalues
                for i in 0..<values.count { next[i] = Float(1 / (Double(values.start[i]) + shift)) }
                next += values.count
            }
            guard reciprocals.elements.allSatisfy({ $0 > 0 && $0.isFinite }) else {
                throw SolverError.notPositiveDefinite(shift: shift)
            }
        }

        private init(rootOf inverse: Inverse) {
            approximation = inverse.approximation
            reciprocals = AlignedMemory(copying: inverse.reciprocals.elements.map { $0.squareRoot() })
        }

        /// (D̂ + λI)^-½, at the cost of (D̂ + λI)⁻¹.
        public var root: any Preconditioner { Inverse(rootOf: self) }

        /// 4·(C + D̃) for each weight of C × D̃, and one for each other parameter.
        public var operations: Double {
            approximation.blocks.reduce(0) { sum, block in
                switch block {
                case .diagonal(_, let values): sum + Double(values.count)
                case .kronecker(let block): sum + 4 * Double(block.eigenvalues.count) * Double(block.outputs + block.order)
                }
            }
        }

        /// z ← (D + λI)⁻¹r for each of `count` stacked vectors.
        /// - Throws: `Interrupted`; z is of no use then.
        public func apply(
            _ r: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>, count: Int, parallel: Parallel,
            interruption: Interruption
        ) throws {
            var offset = 0
            var pace = PacedInterruption(interruption)
            for block in approximation.blocks {
                try interruption.check()
                switch block {
                case .diagonal(let first, let values):
                    for vector in 0..<count {
                        let start = vector * dimension + first
                        for i in 0..<values.count { z[start + i] = reciprocals.start[offset + i] * r[start + i] }
                        try pace.check(after: values.count)
                    }
                case .kronecker(let block):
                    try apply(
                        block, reciprocals: offset, r, to: z, count: count, parallel: parallel, interruption: interruption)
                }
                offset += block.eigenvalues.count
            }
        }

        /// Z̃ = Q_Gᵀ((Q_G·R̃·Q_Aᵀ) ∘ 1/(Λ + λ))Q_A: the three steps in order, the two outer ones for all right-hand sides in one product.
        private func apply(
            _ block: KroneckerBlock, reciprocals offset: Int, _ r: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>,
            count: Int, parallel: Parallel, interruption: Interruption
        ) throws {
            let (outputs, inputs, order) = (block.outputs, block.inputs, block.order)
            let rows = count * outputs
            let given = AlignedMemory<Float>(uninitialized: rows * order)
            let rotated = AlignedMemory<Float>(uninitialized: rows * order)
            var pace = PacedInterruption(interruption)
            for row in 0..<rows {
                let start = row / outputs * dimension
                let target = given.start + row * order
                target.update(from: r + start + block.weights + row % outputs * inputs, count: inputs)
                if let biases = block.biases { target[inputs] = r[start + biases + row % outputs] }
                try pace.check(after: order)
            }
            try Self.multiply(
                given, rows, block.inputVectors, .transposed, order, into: rotated, parallel, interruption)
            try scale(block, reciprocals: offset, rotated, count: count, parallel, interruption)
            try Self.multiply(rotated, rows, block.inputVectors, .none, order, into: given, parallel, interruption)
            for row in 0..<rows {
                let start = row / outputs * dimension
                let source = given.start + row * order
                (z + start + block.weights + row % outputs * inputs).update(from: source, count: inputs)
                if let biases = block.biases { z[start + biases + row % outputs] = source[inputs] }
                try pace.check(after: order)
            }
            withExtendedLifetime(given) {}
        }

        /// Columns, and rows, of a tile of a product: a piece of work of some milliseconds at most.
        private static let (tileColumns, tileRows) = (128, 128)

        /// result [rows, order] ← matrix [rows, order] · op(vectors).
        private static func multiply(
            _ matrix: AlignedMemory<Float>, _ rows: Int, _ vectors: AlignedMemory<Float>, _ transposition: Transposition,
            _ order: Int, into result: AlignedMemory<Float>, _ parallel: Parallel, _ interruption: Interruption
        ) throws {
            let across = (order + tileColumns - 1) / tileColumns
            try parallel.forEach(across * ((rows + tileRows - 1) / tileRows), interruption: interruption) { tile in
                let (row, column) = (tile / across * tileRows, tile % across * tileColumns)
                MatrixProduct.multiply(
                    .none, transposition, m: min(tileRows, rows - row), n: min(tileColumns, order - column), k: order, alpha: 1,
                    matrix.start + row * order, order, vectors.start + column * (transposition == .none ? 1 : order), order,
                    beta: 0, result.start + row * order + column, order)
            }
        }

        /// T ← Q_Gᵀ((Q_G·T) ∘ 1/(Λ + λ)) for each right-hand side's T [C, D̃]: some columns at a time, which never meet.
        private func scale(
            _ block: KroneckerBlock, reciprocals offset: Int, _ matrices: AlignedMemory<Float>, count: Int,
            _ parallel: Parallel, _ interruption: Interruption
        ) throws {
            let (outputs, order) = (block.outputs, block.order)
            let width = min(order, max(16, min(256, 50_000_000 / (outputs * outputs))))
            let across = (order + width - 1) / width
            let factors = reciprocals.start + offset
            nonisolated(unsafe) let shared = factors
            try parallel.forEach(count * across, interruption: interruption) { piece in
                let columns = piece % across * width..<min((piece % across + 1) * width, order)
                let matrix = matrices.start + piece / across * outputs * order + columns.lowerBound
                let scratch = AlignedMemory<Float>(uninitialized: outputs * columns.count)
                let coordinates = scratch.start
                let vectors = block.outputVectors.start
                MatrixProduct.multiply(
                    .none, .none, m: outputs, n: columns.count, k: outputs, alpha: 1, vectors, outputs, matrix, order, beta: 0,
                    coordinates, columns.count)
                for output in 0..<outputs {
                    let (row, factors) = (coordinates + output * columns.count, shared + output * order + columns.lowerBound)
                    for column in 0..<columns.count { row[column] *= factors[column] }
                }
                MatrixProduct.multiply(
                    .transposed, .none, m: outputs, n: columns.count, k: outputs, alpha: 1, vectors, outputs, coordinates,
                    columns.count, beta: 0, matrix, order)
                withExtendedLifetime(scratch) {}
            }
            withExtendedLifetime(reciprocals) {}
        }
    }

    /// (D + λI)⁻¹, made ready: O(p).
    /// - Throws: `SolverError.notPositiveDefinite`, as where λ and an eigenvalue are zero.
    public func inverse(shift: Double) throws(SolverError) -> Inverse { try Inverse(self, shift: shift) }
}

extension EKFAC: SystemSolver {
    /// s = (D̂ + λI)⁻¹v with D̂ the approximation in place of D; what that is worth the residual says, measured with D itself on all examples.
    /// - Throws: `SolverError.notPositiveDefinite`, `.notFinite`, `Interrupted`.
    public func solve(
        _ rightHandSides: [Float], count: Int, in system: DampedCurvature, parallel: Parallel,
        interruption: Interruption = .never
    ) throws -> Solution {
        precondition(system.dimension == dimension, "an approximation is of the system's order")
        precondition(rightHandSides.count == count * dimension, "right-hand sides are as long as the system's order")
        let inverse = try inverse(shift: system.shift)
        var solutions = [Float](repeating: 0, count: rightHandSides.count)
        try rightHandSides.withUnsafeBufferPointer { v in
            try solutions.withUnsafeMutableBufferPointer { s in
                guard let v = v.baseAddress, let s = s.baseAddress else { return }
                try inverse.apply(v, to: s, count: count, parallel: parallel, interruption: interruption)
            }
        }
        let residuals = try system.residuals(
            of: solutions, for: rightHandSides, count: count, parallel: parallel, interruption: interruption)
        return Solution(
            vectors: solutions, repeats: [], residuals: residuals, converged: residuals.map { $0 <= Solution.convergedResidual })
    }
}
