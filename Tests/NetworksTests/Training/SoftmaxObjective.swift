import LinearAlgebra
import Networks

/// A softmax regression as networks are evaluated: in single precision, by tiles, on several threads.
struct SoftmaxObjective: TrainingObjective {
    let problem: SoftmaxProblem
    let weightDecay: Double

    var dimension: Int { problem.model.parameterCount }
    var exampleCount: Int { problem.features.count }
    let hasHessianProducts = true

    func evaluate(
        _ parameters: UnsafePointer<Float>, over batch: ExampleBatch, gradient: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws -> (loss: Double, objective: Double) {
        let (model, features, targets) = (problem.model, problem.features, problem.targets)
        let (dimension, classes) = (dimension, model.classCount)
        let pieces = Parallel.ranges(of: batch.count, pieces: 8)
        let partials = AlignedMemory<Float>(repeating: 0, count: pieces.count * dimension)
        let losses = AlignedMemory<Double>(repeating: 0, count: pieces.count)
        nonisolated(unsafe) let (theta, batch) = (parameters, batch)
        try parallel.forEach(pieces.count, interruption: interruption) { piece in
            let tile = RowTile()
            var outputs = [Float](repeating: 0, count: RowTile.capacity * classes)
            for start in stride(from: pieces[piece].lowerBound, to: pieces[piece].upperBound, by: RowTile.capacity) {
                tile.load(start..<min(start + RowTile.capacity, pieces[piece].upperBound), of: batch, from: features)
                outputs.withUnsafeMutableBufferPointer {
                    model.outputs(theta, of: tile, in: features, into: $0.baseAddress!)
                }
                for row in 0..<tile.count {
                    let range = row * classes..<(row + 1) * classes
                    let target = Int(targets[tile.example(row)])
                    losses.start[piece] += model.loss(outputs: outputs[range], target: target)
                    let largest = outputs[range].max() ?? 0
                    var powers = outputs[range].map { Float(exponential(Double($0 - largest))) }
                    let sum = powers.reduce(0, +)
                    for c in powers.indices { powers[c] = powers[c] / sum - (c == target ? 1 : 0) }
                    outputs.replaceSubrange(range, with: powers)
                }
                outputs.withUnsafeMutableBufferPointer {
                    model.accumulate(
                        $0.baseAddress!, of: tile, in: features, alpha: 1 / Float(batch.count), beta: 1,
                        into: partials.start + piece * dimension)
                }
            }
        }
        var square = 0.0
        for i in 0..<dimension {
            square += Double(theta[i]) * Double(theta[i])
            gradient[i] = Float(weightDecay) * theta[i]
            for piece in pieces.indices { gradient[i] += partials.start[piece * dimension + i] }
        }
        let loss = losses.elements.reduce(0, +) / Double(batch.count)
        return (loss, loss + weightDecay / 2 * square)
    }

    func hessianProduct(
        at parameters: UnsafePointer<Float>, of v: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, parallel: Parallel,
        interruption: Interruption
    ) throws {
        let theta = Array(UnsafeBufferPointer(start: parameters, count: dimension))
        let probabilities = try problem.model.evaluate(
            theta, on: problem.features, parallel: parallel, interruption: interruption
        ).probabilities
        try SoftmaxCurvature(.hessian, model: problem.model, features: problem.features, outputFactors: probabilities).product(
            of: v, to: y, vectorCount: 1, parallel: parallel, interruption: interruption)
        for i in 0..<dimension { y[i] += Float(weightDecay) * v[i] }
    }
}
