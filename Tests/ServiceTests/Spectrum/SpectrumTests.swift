import HTTPTypes
import InverseCurvature
import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// What answers say of a curvature, against every eigenvalue of it.
@Suite("Spectra")
struct SpectrumTests {
    @Test(
        "a small model's eigenvalues are all found: they are the dense ones, and the density counts each",
        arguments: [
            (SpectrumBench.softmax(), "hessian"), (SpectrumBench.softmax(), "gauss_newton"),
            (SpectrumBench.softmax(), "empirical_fisher"), (SpectrumBench.tanh, "hessian"), (SpectrumBench.tanh, "gauss_newton"),
            (SpectrumBench.tanh, "empirical_fisher"),
        ])
    func complete(spec: String, curvature: String) throws {
        let bench = try SpectrumBench.network(spec)
        let answer = try bench.answer(("curvature", curvature), ("k", "50"))
        let expected = try bench.eigenvalues(InfluenceRequest.Curvature(rawValue: curvature))
        let size = try #require(expected.last)
        #expect(answer["curvature"]?.stringValue == curvature && answer["complete"] == true)
        #expect(answer.eigenvalues.count == min(50, expected.count))
        for (value, reference) in zip(answer.eigenvalues, expected.reversed()) { #expect(abs(value - reference) < 2e-5 * size) }
        #expect(abs(try answer.number("smallest", "value") - expected[0]) < 2e-5 * size)
        #expect(abs(try answer.number("largest", "value") - size) < 2e-5 * size)
        // The Hessian's trace is estimated where it is more than the Gauss-Newton matrix.
        let tolerance = curvature == "hessian" && spec == SpectrumBench.tanh ? 0.2 : 1e-4
        #expect(abs(try answer.number("trace") - expected.reduce(0, +)) < tolerance * expected.reduce(0) { $0 + abs($1) })
        #expect(answer["density"]?["exact"] == true && answer["density"]?["probes"] == .null)
        let count = Double(expected.count)
        #expect(abs(try answer.numbers("density", "counts").reduce(0, +) - count) < 0.02 * count)
        let bins = try answer.numbers("density", "logarithmic", "positive") + answer.numbers("density", "logarithmic", "negative")
        #expect(abs(try bins.reduce(0, +) + answer.number("density", "logarithmic", "near_zero") - count) < 1e-6 * count)
        for (edge, next) in zip(
            try answer.numbers("density", "logarithmic", "edges"),
            try answer.numbers("density", "logarithmic", "edges").dropFirst())
        {
            #expect(edge < next)
        }
    }

    @Test(
        "a larger one's ends are found without the rest, and the density is estimated with its mass where the eigenvalues are",
        arguments: [
            "hessian", "gauss_newton", "empirical_fisher",
        ])
    func ends(curvature: String) throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide, count: 200)
        let answer = try bench.answer(("curvature", curvature), ("k", "5"))
        let expected = try bench.eigenvalues(InfluenceRequest.Curvature(rawValue: curvature))
        let size = try #require(expected.last)
        #expect(answer["complete"] == false && answer.eigenvalues.count == 5)
        #expect(try answer.number("lanczos_steps") <= 128)
        for (value, reference) in zip(answer.eigenvalues, expected.reversed()) { #expect(abs(value - reference) < 1e-3 * size) }
        #expect(abs(try answer.number("smallest", "value") - expected[0]) < 1e-3 * size)
        #expect(answer["density"]?["exact"] == false && answer["density"]?["probes"] == 4)
        // How many eigenvalues are above a hundredth of the largest: counted by the bins from there on.
        let edges = try answer.numbers("density", "logarithmic", "edges")
        let positive = try answer.numbers("density", "logarithmic", "positive")
        let estimated = zip(edges, positive).reduce(0) { $1.0 > 0.99e-2 * edges[24] ? $0 + $1.1 : $0 }
        let counted = Double(expected.count { $0 > 1e-2 * size })
        #expect(abs(estimated - counted) < 0.35 * counted + 2)
        #expect(abs(try answer.numbers("density", "counts").reduce(0, +) - 323) < 0.02 * 323)
    }

    @Test("k says how many, 10 by default, and the largest come first")
    func count() throws {
        let bench = try SpectrumBench.network()
        let ten = try bench.answer().eigenvalues
        #expect(ten.count == 10 && ten == ten.sorted(by: >))
        #expect(try bench.answer(("k", "3")).eigenvalues == Array(ten.prefix(3)))
        #expect(try bench.answer(("k", "1")).eigenvalues == [bench.answer().number("largest", "value")])
    }

    @Test("by default the curvature is the one that influence takes")
    func defaults() throws {
        #expect(try SpectrumBench.network().answer()["curvature"] == "gauss_newton")
        #expect(try SpectrumBench.network(SpectrumBench.softmax()).answer()["curvature"] == "hessian")
    }

    @Test(
        "an indefinite Hessian is named so, with the damping that makes it positive definite", arguments: [3, 4, 5] as [UInt64])
    func indefinite(seed: UInt64) throws {
        let bench = try SpectrumBench.network(seed: seed)
        let answer = try bench.answer(("curvature", "hessian"))
        let smallest = try bench.eigenvalues(.hessian)[0]
        try #require(smallest < -1e-3)
        #expect(answer["definiteness"]?["positive_definite"] == false && answer["definiteness"]?["negative_curvature"] == true)
        #expect(answer["definiteness"]?["condition_number"] == .null)
        let damping = try answer.number("definiteness", "damping_needed")
        #expect(damping > -smallest && damping < -1.4 * smallest)
        let summary = try #require(answer["definiteness"]?["summary"]?.stringValue)
        #expect(summary.contains("not positive definite") && summary.contains("gauss_newton"))

        // What is advised does: Cholesky's factorisation succeeds with it, and fails without.
        let engine = bench.engine()
        func solve(_ damping: Double) throws {
            let body: JSON = [
                "model": "net", "tests": [["dataset": "train", "index": 0]], "curvature": "hessian",
                "damping": .double(damping), "solver": ["name": "exact"],
            ]
            _ = try engine.influence(InfluenceRequest(body, limits: SpectrumBench.limits), interruption: .never)
        }
        try solve(damping)
        #expect(throws: Problem.self) { try solve(0) }
        let damped = try bench.answer(("curvature", "hessian"), ("damping", "\(damping)"))
        #expect(damped["definiteness"]?["positive_definite"] == true)
        #expect(try damped.number("definiteness", "damping_needed") == damping)
        #expect(try damped.number("definiteness", "condition_number") > 1)
        // The Gauss-Newton matrix needs none.
        let other = try bench.answer(("curvature", "gauss_newton"))
        #expect(other["definiteness"]?["positive_definite"] == true && other["definiteness"]?["damping_needed"] == 0)
    }

    @Test("without weight decay a singular curvature is not positive definite, and what is advised is enough")
    func singular() throws {
        let bench = try SpectrumBench.network(SpectrumBench.softmax(weightDecay: 0))
        let answer = try bench.answer()
        #expect(answer["definiteness"]?["positive_definite"] == false && answer["definiteness"]?["negative_curvature"] == false)
        let damping = try answer.number("definiteness", "damping_needed")
        #expect(damping > 0)
        let size = try answer.number("largest", "value")
        #expect(damping < 1e-4 * size)
        #expect(try bench.answer(("damping", "\(damping)"))["definiteness"]?["positive_definite"] == true)
    }

    @Test("relative damping is measured in the mean eigenvalue, as it is for influence")
    func relativeDamping() throws {
        let bench = try SpectrumBench.network(SpectrumBench.softmax())
        let answer = try bench.answer(("damping", "0.5"), ("damping_mode", "relative"))
        let mean = try answer.number("trace") / answer.number("parameter_count")
        #expect(abs(try answer.number("definiteness", "lambda_effective") - (0.05 + 0.5 * mean)) < 1e-9)
    }

    @Test("gradients that were computed elsewhere have the spectrum of their Fisher matrix, and no other")
    func gradientsAlone() throws {
        var numbers = SeededNumbers(8)
        let rows = numbers.floats(30 * 6)
        let bench = try SpectrumBench.gradients(rows, width: 6, weightDecay: 0)
        let answer = try bench.answer()
        var fisher = DenseMatrix(rows: 6, columns: 6)
        for row in 0..<30 {
            for i in 0..<6 { for j in 0..<6 { fisher[i, j] += Double(rows[row * 6 + i] * rows[row * 6 + j]) / 30 } }
        }
        let expected = Array(fisher.symmetricEigenvalues.reversed())
        #expect(answer["curvature"] == "empirical_fisher" && Closeness.largestError(answer.eigenvalues, expected) < 1e-5)
        #expect(answer["definiteness"]?["positive_definite"] == true)
        // Without weight decay the mean of the rows is the gradient.
        let mean = (0..<6).map { i in (0..<30).reduce(0) { $0 + Double(rows[$1 * 6 + i]) } / 30 }
        let norm = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs(try answer.number("convergence", "gradient_norm") - norm) < 1e-6 * norm)
        #expect(answer["convergence"]?["converged"] == false && answer["convergence"]?["parameter_norm"] == .null)
        let problem = #expect(throws: Problem.self) { try bench.answer(("curvature", "hessian")) }
        #expect(problem?.status == .unprocessableContent && problem?.errors.first?.pointer == "/curvature")
        #expect(problem?.detail.contains("empirical_fisher") == true)
    }

    @Test("gradients with weight decay say that their objective's gradient is not known")
    func unknownGradient() throws {
        var numbers = SeededNumbers(9)
        let answer = try SpectrumBench.gradients(numbers.floats(20 * 4), width: 4, weightDecay: 0.1).answer()
        let convergence = try #require(answer["convergence"])
        #expect(convergence["converged"] == .null && convergence["gradient_norm"] == .null)
        #expect(try convergence.number("mean_gradient_norm") > 0)
        #expect(convergence["summary"]?.stringValue?.contains("not known") == true)
        #expect(try answer.number("definiteness", "lambda_effective") == 0.1)
    }

    @Test("one parameter and one example, all zeros, are answered too")
    func smallest() throws {
        let one = try SpectrumBench.gradients([2], width: 1, weightDecay: 0).answer()
        #expect(one.eigenvalues.count == 1 && abs(one.eigenvalues[0] - 4) < 1e-6)
        #expect(one["definiteness"]?["positive_definite"] == true)
        let none = try SpectrumBench.gradients([0, 0, 0, 0], width: 2, weightDecay: 0).answer()
        #expect(none.eigenvalues == [0, 0] && none["definiteness"]?["positive_definite"] == false)
        #expect(none["convergence"]?["converged"] == true && none["convergence"]?["equivalent_examples"] == .null)
        #expect(try none.number("density", "logarithmic", "near_zero") == 2)
    }
}
