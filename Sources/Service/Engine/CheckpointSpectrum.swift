internal import Foundation
internal import InverseCurvature
internal import LinearAlgebra

/// What is known of the curvature at a checkpoint, derived once: of C's data part D, without weight decay.
struct CheckpointSpectrum: Sendable, Equatable {
    /// The eigenvalues at both ends.
    let values: RitzSpectrum
    /// How all of them are distributed.
    let density: SpectrumDensity
    /// trace(D), or an estimate of it: the one by which relative damping is measured.
    let trace: Double
    /// ∇F, the same for every curvature.
    let gradient: ObjectiveGradient

    /// Bytes of it, about.
    var byteCount: Int {
        (values.values.count + density.probes.reduce(0) { $0 + $1.nodes.count }) * 2 * MemoryLayout<Double>.stride + 256
    }
}

/// Whether D + λI is positive definite, and what would make it so.
struct Definiteness: Sendable {
    /// λ: weight decay and damping.
    let shift: Double
    /// Whether D has negative eigenvalues.
    let hasNegativeCurvature: Bool
    /// Whether D + λI is positive definite, as far as the recursion saw.
    let isPositiveDefinite: Bool
    /// The damping, beside weight decay, that makes it so, with something to spare; 0 where none is needed.
    let dampingNeeded: Double
    /// The largest eigenvalue of D + λI over the smallest, or over a lower bound of that; nil where it is not positive definite.
    let conditionNumber: Double?

    /// What rounding makes of a zero, of the largest eigenvalue: products are of single precision.
    static let rounding = 1e-6

    /// - Parameter isSemidefinite: whether D has no negative eigenvalues by the way it is made, so that small ones are rounding.
    init(_ spectrum: CheckpointSpectrum, isSemidefinite: Bool, weightDecay: Double, shift: Double) {
        self.shift = shift
        let ends = spectrum.values.ends
        let needed = isSemidefinite ? 0 : ends.shiftNeeded
        hasNegativeCurvature = needed > 0
        let smallest = needed > 0 ? -needed : max(0, ends.smallest.value - ends.smallest.residual)
        let largest = max(0, ends.largest.value)
        func isPositiveDefinite(at shift: Double) -> Bool {
            shift > needed || needed == 0 && smallest > Self.rounding * largest
        }
        self.isPositiveDefinite = isPositiveDefinite(at: shift)
        conditionNumber = self.isPositiveDefinite ? (largest + shift) / (smallest + shift) : nil
        if isPositiveDefinite(at: weightDecay) {
            dampingNeeded = 0
        } else if needed > 0 {
            dampingNeeded = Self.roundedUp(ends.dampingNeeded(weightDecay: weightDecay))
        } else {
            // Singular: anything is enough, but less than this is lost in rounding.
            dampingNeeded = Self.roundedUp(max(10 * Self.rounding * largest, Self.rounding))
        }
    }

    /// To two digits, upwards, so that what is advised is enough.
    private static func roundedUp(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return value }
        let unit = pow(10, floor(log10(value)) - 1)
        // Through text, which drops what the multiplication leaves in the last places.
        return Double(String(format: "%.2g", (value / unit).rounded(.up) * unit)) ?? value
    }
}
