import InverseCurvature
import LinearAlgebra
import TestSupport

/// D = (1/n) Σ cᵢ·aᵢaᵢᵀ for given rows aᵢ and signs cᵢ: any symmetric matrix at all, and with it any spectrum, as an operator that
/// has nothing to do with a model.
struct RankOneCurvature: CurvatureOperator {
    let rows: FeatureRows
    let numbers: [Float]
    let signs: [Float]

    init(_ rows: [Float], width: Int, signs: [Float]? = nil) {
        self.rows = FeatureRows(rows, width: width)
        numbers = rows
        self.signs = signs ?? [Float](repeating: 1, count: self.rows.count)
    }

    /// D = diag(eigenvalues) exactly, each example on one axis.
    init(diagonal eigenvalues: [Double]) {
        let order = eigenvalues.count
        let axes = DenseMatrix(diagonal: eigenvalues.map { (abs($0) * Double(order)).squareRoot() })
        self.init(axes.floats, width: order, signs: eigenvalues.map { $0 < 0 ? -1 : 1 })
    }

    /// Rows of normal numbers, the j-th column `scales[j]` times as wide.
    init(count: Int, scales: [Double], seed: UInt64) {
        var numbers = SeededNumbers(seed)
        self.init((0..<count).flatMap { _ in scales.map { Float($0 * numbers.normal()) } }, width: scales.count)
    }

    var dimension: Int { rows.width }
    var exampleCount: Int { rows.count }
    var trace: Double { (0..<rows.count).reduce(0) { $0 + Double(signs[$1]) * rows.squaredNorm(of: $1) } / Double(rows.count) }
    var largestExampleNorm: Double { (0..<rows.count).reduce(0) { max($0, rows.squaredNorm(of: $1)) } }

    func measure(parallel: Parallel, interruption: Interruption) -> CurvatureSize {
        CurvatureSize(trace: trace, largestExampleNorm: largestExampleNorm)
    }

    final class Workspace {
        var gathered: [Float] = []
        var products: [Float] = []
    }

    func makeWorkspace(vectorCount: Int, interruption: Interruption) -> Workspace { Workspace() }

    func addProduct(
        over batch: ExampleBatch, alpha: Float, of x: UnsafePointer<Float>, beta: Float, plus addend: UnsafePointer<Float>?,
        to y: UnsafeMutablePointer<Float>, vectorCount: Int, workspace: Workspace
    ) {
        let (size, width) = (batch.count, rows.width)
        let chosen: [UInt32] =
            switch batch {
            case .range(let range): range.map { UInt32($0) }
            case .indices(let indices): Array(indices)
            }
        workspace.gathered.removeAll(keepingCapacity: true)
        for row in chosen { workspace.gathered += numbers[Int(row) * width..<(Int(row) + 1) * width] }
        // One by one: what BLAS does to several at once depends on how many there are.
        for v in 0..<vectorCount {
            workspace.products = [Float](repeating: 0, count: size)
            BLAS.multiply(
                .none, .transposed, m: 1, n: size, k: width, alpha: 1, x + v * width, width, workspace.gathered, width, beta: 0,
                &workspace.products, size)
            for i in 0..<size { workspace.products[i] *= signs[Int(chosen[i])] }
            BLAS.multiply(
                .none, .none, m: 1, n: width, k: size, alpha: alpha / Float(size), workspace.products, size,
                workspace.gathered, width, beta: beta, y + v * width, width)
            if let addend { BLAS.add(width, alpha: 1, addend + v * width, to: y + v * width) }
        }
    }

    func write(plus shift: Double, to matrix: PackedSymmetricMatrix, parallel: Parallel, interruption: Interruption) throws {
        try interruption.check()
        let matrixOfRecord = dense.plus(diagonal: shift)
        for i in 0..<dimension { for j in 0...i { matrix[i, j] = Float(matrixOfRecord[i, j]) } }
    }

    /// D in double precision, by its definition.
    var dense: DenseMatrix {
        var sum = DenseMatrix(rows: dimension, columns: dimension)
        for example in 0..<rows.count {
            let a = rows.values(of: example).map { Double($0) }
            let weight = Double(signs[example]) / Double(rows.count)
            for i in 0..<dimension { for j in 0..<dimension { sum[i, j] += weight * a[i] * a[j] } }
        }
        return sum
    }

    /// ‖(D + λI)s − v‖/‖v‖ in double precision.
    func residual(_ solution: some Collection<Float>, _ rightHandSide: some Collection<Float>, shift: Double) -> Double {
        Closeness.relativeDistance(dense.plus(diagonal: shift).times(Array(solution)), rightHandSide)
    }
}
