internal import Foundation
internal import HTTPTypes
internal import InverseCurvature
internal import JSON
internal import Networks

extension Problem {
    /// What a solver could not do, in terms of the request: what was tried and what to set.
    init(_ error: SolverError) {
        switch error {
        case .diverged(let settings, let step, let safeScale):
            self.init(
                .unprocessableContent, "solver-diverged",
                "lissa diverged at step \(step) with scale \(settings.scale), batch_size \(settings.batchSize), recursion_depth "
                    + "\(settings.recursionDepth); set scale to \"auto\" or to at least \(Self.rounded(safeScale)), or raise batch_size",
                errors: [
                    .init(pointer: "/solver/scale", detail: "is too small; at least \(Self.rounded(safeScale)) converges")
                ])
        case .notFinite:
            self.init(
                .unprocessableContent, "unsuitable-dataset",
                "solving leaves single precision: the training data's features, its gradients where they were computed elsewhere, or "
                    + "the test's own numbers are too large; scale them down, features by --divide-by when they are imported"
            )
        case .notPositiveDefinite(let shift):
            self.init(
                at: "/damping",
                "the curvature plus lambda_effective \(shift) is not positive definite, so it has no Cholesky factor; raise damping, or use the gauss_newton curvature"
            )
        case .indefinite(let shift, let curvature):
            self.init(
                at: "/damping",
                "the curvature plus lambda_effective \(shift) is not positive definite: along a direction that was met it is "
                    + "\(curvature); raise damping until lambda_effective exceeds \(Self.rounded(shift - curvature)) at least, or use "
                    + "the gauss_newton curvature")
        case .tooLarge(let parameters, let bytes, let limit):
            self.init(
                at: "/solver/name",
                "what this solver prepares takes \(bytes) bytes for \(parameters) parameters, and \(limit) are allowed (a quarter of "
                    + "compute.memory_bytes); use lissa or cg, or raise the limit")
        }
    }

    /// A descent that grew without bound.
    init(_ error: TwoBatchDescent.Diverged) {
        self.init(
            .unprocessableContent, "solver-diverged",
            "the sketch's descent diverged at step \(error.step) with step_size \(error.settings.stepSize); set step_size to \"auto\" or to at "
                + "most \(error.safeStepSize)",
            errors: [.init(pointer: "/solver/step_size", detail: "is too large; at most \(error.safeStepSize) converges")])
    }

    /// What EKFAC could not do.
    init(_ error: KroneckerError) {
        switch error {
        case .tooLarge(let layer, let bytes, let limit):
            self.init(
                at: "/solver",
                "the Kronecker factors take \(bytes) bytes, most of them for layer '\(layer)', and \(limit) are allowed (a quarter of "
                    + "compute.memory_bytes); use lissa or cg without preconditioner, or raise the limit")
        case .notFinite: self.init(SolverError.notFinite)
        case .notConverged(let layer):
            self.init(
                at: "/solver",
                "no eigenvectors were found for a Kronecker factor of layer '\(layer)'; use lissa, or cg without preconditioner")
        }
    }

    /// Rounded up to two digits, so that the advice itself is safe, and written as shortly.
    static func rounded(_ value: Double) -> String {
        guard value > 0, value.isFinite else { return String(value) }
        let unit = pow(10, floor(log10(value)) - 1)
        // Through text, which drops what the multiplication leaves in the last places.
        return Double(String(format: "%.2g", (value / unit).rounded(.up) * unit)).map { String($0) } ?? String(value)
    }
}
