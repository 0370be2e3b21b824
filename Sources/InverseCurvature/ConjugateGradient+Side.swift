internal import LinearAlgebra

extension ConjugateGradient {
    /// A residual r, z = P⁻¹r, and r·z.
    struct Kept: Sendable {
        let r, z: AlignedMemory<Float>
        let rho: Double
    }

    /// One right-hand side on its way: its scalars, and what they decide.
    ///
    /// Lengths are of v times a power of two that brings ‖v‖ to between 1 and 2: nothing overflows or vanishes that does not in the
    /// solution.
    struct Side: Sendable {
        /// Its place among the right-hand sides.
        let index: Int
        /// The power of two.
        let scale: Float
        /// ‖v‖².
        let squaredSize: Double

        /// Steps so far.
        var iterations = 0
        /// ‖r‖², of the recursion or as just measured.
        var squaredResidual: Double
        /// r·P⁻¹r where the direction was chosen.
        var rho = 0.0
        /// p·(D + λI)p.
        var curvature = 0.0
        /// α of the step that is due; nil where none is.
        var step: Float?
        /// β; nil where the direction does not continue the one before.
        var momentum: Float?
        /// The first residuals of this run of directions, to which all later ones are orthogonal.
        var kept: [Kept] = []
        /// Whether r is measured next: s is multiplied instead of p.
        var isMeasuring = false
        /// Whether it is complete.
        var isDone = false

        /// ‖r‖² as measured last, and the steps until then.
        private var measured: Double
        private var stepsWhenMeasured = 0
        /// Whether the recursion promised something, which the measurement now checks; how often in a row that came to nothing.
        private var hasPromised = false
        private var failures = 0
        /// The residual of the vector that would be returned now.
        private(set) var residual: Double?
        private var hasDrifted = true
        private var isLast = false

        init(index: Int, scale: Float, squaredSize: Double) {
            self.index = index
            self.scale = scale
            self.squaredSize = squaredSize
            squaredResidual = squaredSize
            measured = squaredSize
        }

        /// How far the recursion may fall before it is checked, squared; nothing is lost to drift until about 1e-6.
        private static let farthestFall = 1e-6
        /// Steps from one measurement to the next at most: they cost one product in fifty.
        private static let longestWay = 50
        /// Measurements in a row that may fail what the recursion promised without the residual being halved.
        private static let mostFailures = 3
        /// A residual, squared, below which rounding decides along which directions there is curvature left to find.
        private static let rounding = 1e-10
        /// ‖r‖² grows by at most the condition number, as the error's norm in D + λI only falls (Golub & Van Loan 11.3); a curvature of a
        /// condition beyond this one can't be told from a singular one in single precision.
        private static let worstCondition = 1e8

        private func relative(_ squared: Double) -> Double { (squared / squaredSize).squareRoot() }

        /// Takes p·(D + λI)p. Where this is not positive there is no step, and the answer is whether that may be due to rounding.
        mutating func take(curvature: Double) -> Bool {
            self.curvature = curvature
            step = curvature > 0 ? Float(rho / curvature) : nil
            guard step == nil else { return true }
            isMeasuring = true
            isLast = true
            return squaredResidual <= Self.rounding * squaredSize
        }

        /// Takes ‖r‖² after a step; the answer is whether it is one that single precision can lead to.
        mutating func take(squaredResidual: Double, _ settings: Settings) -> Bool {
            step = nil
            iterations += 1
            self.squaredResidual = squaredResidual
            hasPromised = squaredResidual <= Self.farthestFall * measured || relative(squaredResidual) <= settings.tol
            isMeasuring =
                hasPromised || iterations >= settings.maxIter || iterations - stepsWhenMeasured >= Self.longestWay
            guard squaredResidual > Self.worstCondition * measured else { return true }
            // What was measured stands where it was as good as rounding lets it be.
            isDone = measured <= Self.rounding * squaredSize
            return isDone
        }

        /// Takes ‖v − (D + λI)s‖²; the answer is whether s is the best so far and to be kept.
        mutating func take(measurement: Double, _ settings: Settings) -> Bool {
            isMeasuring = false
            let now = relative(measurement)
            // Also where the recursion was wrong by little, but in what was asked of it.
            hasDrifted =
                measurement > 4 * squaredResidual || relative(squaredResidual) <= settings.tol && now > settings.tol
            failures = measurement <= measured / 4 ? 0 : failures + (hasPromised ? 1 : 0)
            (squaredResidual, measured, stepsWhenMeasured) = (measurement, measurement, iterations)
            isDone =
                now <= settings.tol || measurement == 0 || isLast || iterations >= settings.maxIter
                || failures >= Self.mostFailures
            // What the recursion led to stands, as its error is the smallest even where its residual is not; but not what rounding did.
            if hasDrifted, let residual, residual <= now { return false }
            residual = now
            return true
        }

        /// Takes r·z for the next direction. The answer is whether z may be used: a preconditioner that is not positive definite, or not
        /// in single precision, would lead nowhere, and r itself is taken instead.
        mutating func take(rho next: Double) -> Bool {
            let isUsable = next > 0 && next.isFinite
            let next = isUsable ? next : squaredResidual
            let momentum = Float(next / rho)
            // After r was replaced by something else the directions before are none of the new system's.
            self.momentum = isUsable && !hasDrifted && momentum.isFinite ? momentum : nil
            if self.momentum == nil { kept = [] }
            hasDrifted = false
            rho = next
            return isUsable
        }
    }
}
