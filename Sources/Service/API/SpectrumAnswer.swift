internal import Attribution
internal import Foundation
internal import InverseCurvature
public import JSON
internal import LinearAlgebra
internal import Store

/// What the curvature at a checkpoint is like, and whether the checkpoint is a minimum.
public struct SpectrumAnswer: Sendable {
    let request: SpectrumRequest
    /// Names and sizes.
    let model: String, checkpoint: String, exampleCount: Int
    /// The curvature as the answer names it.
    let curvature: InfluenceRequest.Curvature
    let weightDecay: Double
    let spectrum: CheckpointSpectrum
    let definiteness: Definiteness
    let convergence: Convergence

    /// - Parameters:
    ///   - isSemidefinite: whether the curvature has no negative eigenvalues by the way it is made.
    ///   - isConvex: whether the objective is convex in θ.
    init(
        request: SpectrumRequest, model: LoadedModel, curvature: InfluenceRequest.Curvature, isSemidefinite: Bool,
        isConvex: Bool, spectrum: CheckpointSpectrum
    ) {
        self.request = request
        self.model = model.record.name
        checkpoint = model.checkpoint.name
        exampleCount = model.gradients.count
        self.curvature = curvature
        let decay = model.weightDecay
        weightDecay = decay
        self.spectrum = spectrum
        let meanEigenvalue = spectrum.trace / Double(max(1, spectrum.values.dimension)) + decay
        let damping =
            request.curvature.dampingMode == .absolute ? request.curvature.damping : request.curvature.damping * meanEigenvalue
        definiteness = Definiteness(
            spectrum, isSemidefinite: isSemidefinite, weightDecay: decay, shift: decay + damping)
        convergence = Convergence(
            spectrum.gradient, exampleCount: model.gradients.count, weightDecay: decay, isConvex: isConvex)
    }

    /// p.
    var dimension: Int { spectrum.values.dimension }

    /// The answer as the interface shows it. Eigenvalues are of C, weight decay inside and damping not.
    public var json: JSON {
        let ends = spectrum.values.ends
        return [
            "model": .string(model), "checkpoint": .string(checkpoint), "curvature": .string(curvature.rawValue),
            "n_train": .integer(exampleCount), "parameter_count": .integer(dimension),
            "eigenvalues": .array(spectrum.values.values.suffix(request.k).reversed().map(json)),
            "largest": json(ends.largest), "smallest": json(ends.smallest), "lanczos_steps": .integer(ends.steps),
            "complete": .bool(spectrum.values.isComplete),
            "trace": .double(spectrum.trace + weightDecay * Double(dimension)),
            "definiteness": definitenessJSON, "convergence": convergenceJSON, "density": densityJSON,
        ]
    }

    /// Rounding, which a recursion does not know of, is added to its residuals.
    private func json(_ value: RitzValue) -> JSON {
        let ends = spectrum.values.ends
        let rounding = Definiteness.rounding * max(abs(ends.smallest.value), abs(ends.largest.value))
        return ["value": .double(value.value + weightDecay), "residual": .double(value.residual + rounding)]
    }

    private var definitenessJSON: JSON {
        [
            "weight_decay": .double(weightDecay), "damping": .double(request.curvature.damping),
            "damping_mode": .string(request.curvature.dampingMode.rawValue), "lambda_effective": .double(definiteness.shift),
            "positive_definite": .bool(definiteness.isPositiveDefinite),
            "negative_curvature": .bool(definiteness.hasNegativeCurvature),
            "damping_needed": .double(definiteness.dampingNeeded),
            "condition_number": definiteness.conditionNumber.map { .double($0) } ?? .null,
            "summary": .string(definitenessSummary),
        ]
    }

    private var convergenceJSON: JSON {
        func number(_ value: Double?) -> JSON { value.map { .double($0) } ?? .null }
        let gradient = convergence.gradient
        return [
            "converged": convergence.isConverged.map { .bool($0) } ?? .null, "criterion": .string(Convergence.criterion),
            "limit": .double(convergence.limit), "gradient_norm": number(gradient.norm),
            "equivalent_examples": number(convergence.equivalentExamples),
            "example_gradient_norm": .double(gradient.exampleNorm), "mean_gradient_norm": .double(gradient.dataNorm),
            "parameter_norm": number(gradient.parameterNorm), "distance_bound": number(convergence.distanceBound),
            "summary": .string(convergenceSummary),
        ]
    }

    private var densityJSON: JSON {
        let density = spectrum.density
        let (curve, bins) = (SpectrumCurve(density, weightDecay: weightDecay), SpectrumBins(density, weightDecay: weightDecay))
        return [
            "exact": .bool(spectrum.values.isComplete),
            "probes": spectrum.values.isComplete ? .null : .integer(density.probes.count),
            "sample_size": density.sampleSize.map { .integer($0) } ?? .null, "sigma": .double(curve.width),
            "positions": .numbers(curve.positions), "density": .numbers(curve.density), "counts": .numbers(curve.counts),
            "logarithmic": [
                "edges": .numbers(bins.edges), "positive": .numbers(bins.positive), "near_zero": .double(bins.nearZero),
                "negative": .numbers(bins.negative),
            ],
        ]
    }
}

// What it comes to, in words.
extension SpectrumAnswer {
    private static func text(_ value: Double) -> String { String(format: "%.3g", value) }

    private var definitenessSummary: String {
        let name = "\(curvature.rawValue) plus lambda_effective \(Self.text(definiteness.shift))"
        if definiteness.isPositiveDefinite {
            return "The \(name) is positive definite, as far as \(spectrum.values.values.count) Lanczos steps show."
        }
        guard definiteness.hasNegativeCurvature else {
            return
                "The \(name) is singular to single precision; a damping of \(Self.text(definiteness.dampingNeeded)) makes it "
                + "positive definite."
        }
        let lowest = spectrum.values.ends.smallest.value + definiteness.shift
        return
            "The \(name) is not positive definite: an eigenvalue is \(Self.text(lowest)). A damping of "
            + "\(Self.text(definiteness.dampingNeeded)) makes it so, as far as \(spectrum.values.values.count) Lanczos steps show; "
            + "or use the gauss_newton curvature, which has no negative eigenvalues."
    }

    private var convergenceSummary: String {
        let gradient = convergence.gradient
        guard let norm = gradient.norm, let isConverged = convergence.isConverged else {
            return
                "The parameters are not known, and with weight decay they are part of the objective's gradient: whether training "
                + "converged can't be told. The mean of the examples' gradients is \(Self.text(gradient.dataNorm)) long."
        }
        let share = convergence.equivalentExamples ?? 0
        let size = "The gradient of the training objective is \(Self.text(norm)) long, as much as leaving out "
        if isConverged {
            let kind =
                definiteness.hasNegativeCurvature
                ? "a stationary point, but no minimum: the curvature has negative eigenvalues"
                : "at a minimum, as far as single examples' influence can be told from it"
            return "\(size)\(Self.text(share)) of the \(exampleCount) examples changes it: the checkpoint is \(kind)."
        }
        return
            "\(size)\(Self.text(share)) of the \(exampleCount) examples changes it: training stopped early, or minimised something "
            + "else than this objective (another weight_decay, dropout, statistics of batches). Influence then describes the "
            + "quadratic around these parameters (Koh & Liang 2017, section 4.2), and may predict retraining badly (Basu, Pope & "
            + "Feizi 2021)."
    }
}
