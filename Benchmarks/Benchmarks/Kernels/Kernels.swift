import Attribution
import Benchmark
import LinearAlgebra
import Networks

/// The inner loops against the simple version of each, on made-up data of MNIST's shape: run `swift package benchmark`.
///
/// "simple" widens bytes to floats in memory and calls a general matrix product, as one would write it on BLAS alone.
let benchmarks: @Sendable () -> Void = {
    let problem = Problem(rows: 8_192, width: 784, classes: 10)
    let configuration = Benchmark.Configuration(
        metrics: [.wallClock, .throughput], scalingFactor: .one, maxDuration: .seconds(3))

    Benchmark("scan 8,192 byte rows: ours", configuration: configuration) { benchmark in
        for _ in benchmark.scaledIterations { blackHole(problem.scan()) }
    }
    Benchmark("scan 8,192 byte rows: simple", configuration: configuration) { benchmark in
        for _ in benchmark.scaledIterations { blackHole(problem.simpleScan()) }
    }
    Benchmark("curvature product, batch 32: ours", configuration: configuration) { benchmark in
        for _ in benchmark.scaledIterations { problem.product() }
    }
    Benchmark("curvature product, batch 32: simple", configuration: configuration) { benchmark in
        for _ in benchmark.scaledIterations { problem.simpleProduct() }
    }
}

/// Random bytes, probabilities and directions.
final class Problem: @unchecked Sendable {
    // Benchmarks run one at a time.
    let model: SoftmaxRegression
    let features: FeatureRows
    let gradients: FactoredGradients
    let curvature: SoftmaxCurvature
    let direction: [Float]
    let workspace: SoftmaxCurvature.Workspace
    let batch: [UInt32]
    var vector: [Float]
    private let bytes: AlignedMemory<UInt8>
    private let probabilities: [Float]
    private var widened: [Float]
    private var outputs: [Float]

    init(rows: Int, width: Int, classes: Int) {
        _ = BLASLibrary.current
        var stream = RandomStream(seed: 0)
        bytes = AlignedMemory(uninitialized: rows * width)
        for i in 0..<bytes.count { bytes.start[i] = UInt8(truncatingIfNeeded: stream.next()) }
        model = SoftmaxRegression(inputWidth: width, classCount: classes, hasBias: false)
        features = FeatureRows(.uint8(bytes), count: rows, width: width, multiplier: 1 / 255)
        probabilities = (0..<rows * classes).map { _ in Float(stream.next(below: 1_000)) / 5_000 }
        gradients = FactoredGradients(model: model, features: features, residuals: probabilities)
        curvature = SoftmaxCurvature(.hessian, model: model, features: features, outputFactors: probabilities)
        direction = (0..<width * classes).map { _ in Float(stream.nextNormal()) }
        vector = direction
        workspace = curvature.makeWorkspace(vectorCount: 1)
        batch = (0..<32).map { _ in stream.next(below: UInt32(rows)) }
        widened = [Float](repeating: 0, count: 32 * width)
        outputs = [Float](repeating: 0, count: 32 * classes)
    }

    func scan() -> Float {
        (try? gradients.scores(along: direction, parallel: Parallel(threads: 1)))?[0].last ?? 0
    }

    func simpleScan() -> Float {
        let classes = model.classCount
        var score: Float = 0
        for start in stride(from: 0, to: features.count, by: 32) {
            simpleOutputs(rows: (start..<start + 32).map { UInt32($0) }, direction)
            for row in 0..<32 {
                score = 0
                for c in 0..<classes { score += outputs[row * classes + c] * probabilities[(start + row) * classes + c] }
            }
        }
        return score
    }

    func product() {
        batch.withUnsafeBufferPointer { batch in
            direction.withUnsafeBufferPointer { x in
                vector.withUnsafeMutableBufferPointer { y in
                    try? curvature.addProduct(
                        over: .indices(batch), alpha: 0.01, of: x.baseAddress!, beta: 0.9, plus: nil, to: y.baseAddress!,
                        vectorCount: 1,
                        workspace: workspace)
                }
            }
        }
    }

    func simpleProduct() {
        let classes = model.classCount
        simpleOutputs(rows: batch, direction)
        for (row, example) in batch.enumerated() {
            var inner: Float = 0
            for c in 0..<classes { inner += probabilities[Int(example) * classes + c] * outputs[row * classes + c] }
            for c in 0..<classes {
                let p = probabilities[Int(example) * classes + c]
                outputs[row * classes + c] = p * (outputs[row * classes + c] - inner)
            }
        }
        BLAS.multiply(
            .transposed, .none, m: classes, n: features.width, k: 32, alpha: 0.01, outputs, classes, widened, features.width,
            beta: 0.9, &vector, features.width)
    }

    private func simpleOutputs(rows: [UInt32], _ weights: [Float]) {
        for (r, row) in rows.enumerated() {
            let source = bytes.start + Int(row) * features.width
            for j in 0..<features.width { widened[r * features.width + j] = Float(source[j]) / 255 }
        }
        BLAS.multiply(
            .none, .transposed, m: 32, n: model.classCount, k: features.width, alpha: 1, widened, features.width, weights,
            features.width, beta: 0, &outputs, model.classCount)
    }
}
