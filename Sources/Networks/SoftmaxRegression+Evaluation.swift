internal import Foundation
public import LinearAlgebra

extension SoftmaxRegression {
    /// What the model says of each row.
    public struct Evaluation: Sendable {
        /// out, [rows, C].
        public let outputs: [Float]
        /// softmax(out), [rows, C].
        public let probabilities: [Float]
    }

    /// Outputs and probabilities of every row; 2·n·D·C flops. `parameters` holds `parameterCount` numbers.
    /// - Throws: `Interrupted`.
    public func evaluate(
        _ parameters: [Float], on features: FeatureRows, parallel: Parallel = Parallel(threads: 1),
        interruption: Interruption = .never
    ) throws -> Evaluation {
        precondition(parameters.count == parameterCount && features.width == inputWidth, "shapes were checked at the edge")
        let outputs = AlignedMemory<Float>(uninitialized: features.count * classCount)
        let probabilities = AlignedMemory<Float>(uninitialized: features.count * classCount)
        let chunks = Parallel.ranges(of: features.count, pieces: 64)
        try parameters.withUnsafeBufferPointer { parameters in
            nonisolated(unsafe) let theta = parameters.baseAddress!
            try parallel.forEach(chunks.count, interruption: interruption) { piece in
                let tile = RowTile()
                for start in stride(from: 0, to: chunks[piece].count, by: RowTile.capacity) {
                    tile.load(
                        start..<min(start + RowTile.capacity, chunks[piece].count), of: .range(chunks[piece]), from: features)
                    let start = tile.example(0)
                    let out = outputs.start + start * classCount
                    self.outputs(theta, of: tile, in: features, into: out)
                    for row in 0..<tile.count {
                        softmax(out + row * classCount, into: probabilities.start + (start + row) * classCount)
                    }
                }
            }
        }
        return Evaluation(outputs: Array(outputs.elements), probabilities: Array(probabilities.elements))
    }

    /// −log softmax(out)[target] of one row's outputs, in double precision: accurate where the probability underflows.
    public func loss(outputs: some Collection<Float>, target: Int) -> Double {
        let largest = Double(outputs.max() ?? 0)
        let sum = outputs.reduce(0) { $0 + exp(Double($1) - largest) }
        return log(sum) + largest - Double(outputs[outputs.index(outputs.startIndex, offsetBy: target)])
    }

    /// r = p − onehot(y), row by row: the output factor of every example's gradient. `targets` must be in 0..<C.
    ///
    /// The target's is taken as minus the sum of the others, which is the same number: 1 − p cancels where the model is confident.
    public func residuals(probabilities: [Float], targets: [Int32]) -> [Float] {
        var residuals = probabilities
        for (row, target) in targets.enumerated() {
            var others: Float = 0
            for c in 0..<classCount where c != Int(target) { others += residuals[row * classCount + c] }
            residuals[row * classCount + Int(target)] = -others
        }
        return residuals
    }

    /// ∇ℓ of one example: r ⊗ x̃, `parameterCount` numbers.
    public func gradient(probabilities: some Collection<Float>, input: [Float], target: Int) -> [Float] {
        var gradient: [Float] = []
        gradient.reserveCapacity(parameterCount)
        let residual = residuals(probabilities: Array(probabilities), targets: [Int32(target)])
        for r in residual { gradient.append(contentsOf: input.lazy.map { r * $0 }) }
        if hasBias { gradient.append(contentsOf: residual) }
        return gradient
    }

    /// exp(out − max) / Σ, which can neither overflow nor divide by zero.
    @inline(__always)
    func softmax(_ outputs: UnsafePointer<Float>, into probabilities: UnsafeMutablePointer<Float>) {
        var largest = outputs[0]
        for c in 1..<classCount { largest = max(largest, outputs[c]) }
        var sum: Float = 0
        for c in 0..<classCount {
            let value = expf(outputs[c] - largest)
            probabilities[c] = value
            sum += value
        }
        let factor = 1 / sum
        for c in 0..<classCount { probabilities[c] *= factor }
    }
}
