/// A step length along a descent direction that meets the strong Wolfe conditions
///
///     φ(α) ≤ φ(0) + c₁·α·φ'(0)   and   |φ'(α)| ≤ c₂·|φ'(0)|
///
/// by bracketing and zooming (Nocedal & Wright, Numerical Optimization, 2nd edition, algorithms 3.5 and 3.6).
///
/// Values that differ by less than single precision can tell count as equal, and slopes decide instead: close to a minimum a
/// gradient is still good to many digits where F no longer changes in its last (the approximate Wolfe conditions of Hager & Zhang
/// 2005).
struct WolfeLineSearch {
    /// c₁ and c₂, as Nocedal & Wright advise for quasi-Newton methods.
    static let (decrease, curvature) = (1e-4, 0.9)
    /// Evaluations that a search may take.
    static let budget = 40

    /// φ at a step length.
    struct Sample: Equatable {
        let step: Double
        let value: Double
        let slope: Double
    }

    let origin: Sample
    private let noise: Double
    private var evaluations = 0

    /// A search from φ(0) and φ'(0) < 0.
    init(value: Double, slope: Double) {
        origin = Sample(step: 0, value: value, slope: slope)
        noise = SinglePrecision.noise(of: value)
    }

    /// Searches from a first guess on.
    /// - Parameter evaluate: φ and φ' at a step length; either may be infinite or NaN, which is as good as too high.
    /// - Returns: a step that meets both conditions, or the first alone where no more can be found; nil where no value is lower.
    mutating func search(
        from first: Double, _ evaluate: (Double) throws -> (value: Double, slope: Double)
    ) rethrows -> Sample? {
        var previous = origin
        var step = first
        while evaluations < Self.budget {
            let sample = try take(step, evaluate)
            if isTooHigh(sample, beside: previous) { return try zoom(previous, sample, evaluate) }
            if isFlat(sample) { return sample }
            if sample.slope >= 0 { return try zoom(sample, previous, evaluate) }
            // Where the slopes' line crosses zero, but neither hesitantly nor rashly.
            let secant = step + (step - previous.step) * sample.slope / (previous.slope - sample.slope)
            step = secant > 2 * step ? min(secant, 10 * step) : 2 * step
            if !step.isFinite { break }
            previous = sample
        }
        return previous.value < origin.value ? previous : nil
    }

    /// Between `low`, the best sample that decreases enough, and `high`, beyond which it need not go.
    private mutating func zoom(
        _ low: Sample, _ high: Sample, _ evaluate: (Double) throws -> (value: Double, slope: Double)
    ) rethrows -> Sample? {
        var (low, high) = (low, high)
        while evaluations < Self.budget, abs(high.step - low.step) > 0x1p-24 * max(high.step, low.step) {
            let sample = try take(interpolate(low, high), evaluate)
            if isTooHigh(sample, beside: low) {
                high = sample
            } else {
                if isFlat(sample) { return sample }
                if sample.slope * (high.step - low.step) >= 0 { high = low }
                low = sample
            }
        }
        return low.value < origin.value ? low : nil
    }

    private mutating func take(
        _ step: Double, _ evaluate: (Double) throws -> (value: Double, slope: Double)
    ) rethrows -> Sample {
        evaluations += 1
        let (value, slope) = try evaluate(step)
        let isFinite = value.isFinite && slope.isFinite
        return Sample(step: step, value: isFinite ? value : .infinity, slope: isFinite ? slope : .infinity)
    }

    private func isTooHigh(_ sample: Sample, beside best: Sample) -> Bool {
        sample.value > origin.value + Self.decrease * sample.step * origin.slope + noise
            || (best.step > 0 && sample.value >= best.value + max(noise, .leastNormalMagnitude))
    }

    private func isFlat(_ sample: Sample) -> Bool { abs(sample.slope) <= Self.curvature * abs(origin.slope) }

    /// The minimum of the cubic through both values and slopes (equation 3.59), or where the slopes' line crosses zero if the
    /// values are the same for all we know; and in any case well inside.
    private func interpolate(_ a: Sample, _ b: Sample) -> Double {
        let width = b.step - a.step
        guard b.value.isFinite else { return a.step + width / 10 }
        var step: Double
        if abs(a.value - b.value) <= noise {
            step = a.step - a.slope * width / (b.slope - a.slope)
        } else {
            let d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
            let d2 = max(0, d1 * d1 - a.slope * b.slope).squareRoot() * (width < 0 ? -1 : 1)
            step = b.step - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
        }
        let fraction = (step - a.step) / width
        return a.step + width * (fraction.isFinite ? min(max(fraction, 0.1), 0.9) : 0.5)
    }
}
