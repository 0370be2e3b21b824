import Foundation
import TestSupport

/// A softmax regression small enough to be computed by its definitions in double precision: n examples of D features and C classes,
/// F(θ) = (1/n) Σ ℓ + (weight_decay/2)‖θ‖², θ = W row by row, then b.
struct SmallProblem {
    static let (count, width, classes) = (60, 3, 3)
    static let parameterCount = classes * (width + 1)
    static let weightDecay = 0.05

    let inputs: [[Double]]
    let targets: [Int]
    /// Examples that the model has not seen.
    let testInputs: [[Double]]
    let testTargets: [Int]

    init(seed: UInt64 = 4) {
        var numbers = SeededNumbers(seed)
        // Single precision holds all inputs, so that files of it lose nothing.
        func example(_ label: Int) -> [Double] {
            (0..<Self.width).map { Double(Float(numbers.normal() + ($0 == label ? 1.2 : 0))) }
        }
        let labels = numbers.integers(Self.count, below: Self.classes)
        inputs = labels.map(example)
        // Some labels are wrong, as they are in real data.
        targets = labels.enumerated().map { $0 % 10 == 0 ? ($1 + 1) % Self.classes : $1 }
        testTargets = numbers.integers(5, below: Self.classes)
        testInputs = testTargets.map(example)
    }

    static func outputs(_ theta: [Double], _ x: [Double]) -> [Double] {
        (0..<classes).map { c in
            (0..<width).reduce(theta[classes * width + c]) { $0 + theta[c * width + $1] * x[$1] }
        }
    }

    static func probabilities(_ theta: [Double], _ x: [Double]) -> [Double] {
        let powers = outputs(theta, x).map { exp($0) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    static func loss(_ theta: [Double], _ x: [Double], _ y: Int) -> Double { -log(probabilities(theta, x)[y]) }

    /// (p − onehot(y)) ⊗ (x, 1).
    static func gradient(_ theta: [Double], _ x: [Double], _ y: Int) -> [Double] {
        let residual = probabilities(theta, x).enumerated().map { $1 - ($0 == y ? 1 : 0) }
        return residual.flatMap { r in x.map { r * $0 } } + residual
    }

    /// The mean over some examples of (diag(p) − p pᵀ) ⊗ (x, 1)(x, 1)ᵀ.
    func hessian(_ theta: [Double], _ examples: [Int]) -> DenseMatrix {
        mean(of: examples) { example in
            let p = Self.probabilities(theta, inputs[example])
            let place = Self.places(of: inputs[example])
            return { i, j in
                let (a, b) = (place[i], place[j])
                return ((a.row == b.row ? p[a.row] : 0) - p[a.row] * p[b.row]) * a.feature * b.feature
            }
        }
    }

    /// The mean of gᵢgᵢᵀ.
    func empiricalFisher(_ theta: [Double]) -> DenseMatrix {
        mean(of: Array(0..<Self.count)) { example in
            let g = Self.gradient(theta, inputs[example], targets[example])
            return { g[$0] * g[$1] }
        }
    }

    /// The minimum of F over some examples, by Newton's method.
    func trained(on examples: [Int], from start: [Double]? = nil) -> [Double] {
        var theta = start ?? [Double](repeating: 0, count: Self.parameterCount)
        for _ in 0..<30 {
            var slope = theta.map { $0 * Self.weightDecay }
            for example in examples {
                let g = Self.gradient(theta, inputs[example], targets[example])
                for i in g.indices { slope[i] += g[i] / Double(examples.count) }
            }
            let step = hessian(theta, examples).plus(diagonal: Self.weightDecay).solved(for: slope)
            for i in step.indices { theta[i] -= step[i] }
            if (step.map(abs).max() ?? 0) < 1e-12 { break }
        }
        return theta
    }

    /// Which class and which feature each number of θ belongs to; a bias's feature is 1.
    private static func places(of x: [Double]) -> [(row: Int, feature: Double)] {
        (0..<classes).flatMap { c in x.map { (c, $0) } } + (0..<classes).map { ($0, 1) }
    }

    private func mean(of examples: [Int], _ element: (Int) -> (Int, Int) -> Double) -> DenseMatrix {
        var sum = DenseMatrix(rows: Self.parameterCount, columns: Self.parameterCount)
        for example in examples {
            let element = element(example)
            for i in 0..<Self.parameterCount {
                for j in 0..<Self.parameterCount { sum[i, j] += element(i, j) / Double(examples.count) }
            }
        }
        return sum
    }
}

extension SmallProblem {
    /// Imports the problem with given parameters into a new store by the command line.
    func store(_ theta: [Double], in folder: TemporaryDirectory) throws -> String {
        let floats = theta.map { Float($0) }
        let split = Self.classes * Self.width
        try ArrayFile.npy(inputs.joined().map { Float($0) }, shape: [Self.count, Self.width])
            .write(to: folder.url.appendingPathComponent("x.npy"))
        try ArrayFile.npy(targets, shape: [Self.count]).write(to: folder.url.appendingPathComponent("y.npy"))
        try ArrayFile.safetensors([
            ("0.weight", Array(floats[..<split]), [Self.classes, Self.width]),
            ("0.bias", Array(floats[split...]), [Self.classes]),
        ]).write(to: folder.url.appendingPathComponent("model.safetensors"))
        try Data(Self.spec.utf8).write(to: folder.url.appendingPathComponent("spec.json"))
        let store = folder.path("small.sqlite")
        let commands = [
            ["dataset", "--name", "small", "--inputs", folder.path("x.npy"), "--targets", folder.path("y.npy")],
            [
                "model", "--name", "small", "--dataset", "small", "--spec", folder.path("spec.json"),
                "--parameters", folder.path("model.safetensors"),
            ],
        ]
        for command in commands {
            let process = try InfluencedProcess(["import"] + command + ["--store", store])
            guard try process.wait() == .exited(0) else {
                throw InfluencedProcess.Failure(description: process.standardError)
            }
        }
        return store
    }

    static let spec = """
        {"layers": [{"type": "linear", "in_features": \(width), "out_features": \(classes), "bias": true}],
         "loss": {"type": "cross_entropy"}, "weight_decay": \(weightDecay)}
        """
}
