internal import Foundation
public import LinearAlgebra

extension LiSSA {
    /// Right-hand sides on their way: rounds may be asked for one at a time, for some sides or all, until they are good enough or time is
    /// up.
    ///
    /// A round is taken as a whole or, where it throws, not at all: the solution so far stands. No side's bits depend on which others
    /// advance beside it.
    public struct Refinement: Sendable {
        private let lissa: LiSSA
        private let system: DampedCurvature
        private var sides: [RefinedSide]

        /// Begins with s = 0 for `count` stacked right-hand sides.
        public init(of rightHandSides: [Float], count: Int, in system: DampedCurvature, by lissa: LiSSA) {
            let length = system.dimension
            precondition(rightHandSides.count == count * length, "right-hand sides are as long as the system's order")
            self.lissa = lissa
            self.system = system
            sides = (0..<count).map { RefinedSide(Array(rightHandSides[$0 * length..<($0 + 1) * length])) }
        }

        /// The sides that have neither reached the wanted error nor used their rounds up.
        public var unfinished: [Int] {
            sides.indices.filter { index in
                let side = sides[index]
                return !side.isZero && side.attempts < lissa.settings.rounds && !hasReachedTarget(side)
            }
        }

        /// How good each side's solution is by now, from its repeats and what is known of its contraction.
        public var accuracies: [SolutionAccuracy] { sides.map(accuracy(of:)) }

        /// One more round for some sides, whether or not they are finished. It costs a product over all examples for each that has had one
        /// before, unless its residual is measured already.
        /// - Throws: `SolverError.diverged`, `.notFinite`, `Interrupted`; nothing has changed then.
        public mutating func advance(_ chosen: [Int], parallel: Parallel, interruption: Interruption = .never) throws {
            var next = sides
            let chosen = chosen.filter { !next[$0].isZero }
            guard chosen.allSatisfy({ next[$0].size.isFinite }) else { throw SolverError.notFinite }
            try measure(chosen, of: &next, parallel: parallel, interruption: interruption)
            // Those that are at the same point share their mini-batches.
            let groups = Dictionary(grouping: chosen) {
                [next[$0].attempts, next[$0].effort, isCautious(next[$0]) ? 1 : 0]
            }
            for (_, group) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                try correct(group, of: &next, parallel: parallel, interruption: interruption)
            }
            sides = next
        }

        private func isCautious(_ side: RefinedSide) -> Bool { side.isCautious && lissa.cautious != nil }

        /// One round for sides that are at the same point. Where numbers grow, each side goes on alone, which changes no bit of it, and the
        /// one that they grow for begins the round anew, cautiously.
        private func correct(
            _ group: [Int], of sides: inout [RefinedSide], parallel: Parallel, interruption: Interruption
        ) throws {
            let first = sides[group[0]]
            let isCautious = isCautious(first)
            let corrections: [[Float]]
            do {
                corrections = try lissa.corrections(
                    of: group.flatMap { sides[$0].remainder ?? [] }, count: group.count, round: first.attempts,
                    effort: first.effort, isCautious: isCautious, in: system, parallel: parallel, interruption: interruption)
            } catch SolverError.diverged where lissa.cautious != nil {
                guard group.count == 1 else {
                    for side in group { try correct([side], of: &sides, parallel: parallel, interruption: interruption) }
                    return
                }
                sides[group[0]].isCautious = true
                return try correct(group, of: &sides, parallel: parallel, interruption: interruption)
            }
            for (position, side) in group.enumerated() {
                let part = position * system.dimension..<(position + 1) * system.dimension
                sides[side].wasCautious = isCautious
                try sides[side].take(corrections.map { Array($0[part]) }, interruption: interruption)
                guard sides[side].correctionSizes.last?.isFinite ?? true else {
                    throw lissa.failure(at: lissa.settings.recursionDepth, isCautious: isCautious)
                }
            }
        }

        /// The solutions by now; costs a product over all examples for each side whose residual is not measured yet.
        /// - Throws: `SolverError.diverged`, `.notFinite`, `Interrupted`; the refinement can go on then.
        public mutating func solution(parallel: Parallel, interruption: Interruption = .never) throws -> Solution {
            try measure(Array(sides.indices), of: &sides, parallel: parallel, interruption: interruption)
            let residuals = sides.map { $0.residual ?? 1 }
            return made(residuals: residuals, converged: sides.indices.map { residuals[$0] <= tolerance(of: sides[$0]) })
        }

        /// The solutions by now, with residuals where they are known: where the scale is a safe one, and no residual could say that the
        /// recursion diverged, all others are left to be measured by whoever reads all examples next (`Solution.measured`).
        /// - Throws: as `solution`, where the scale is not a safe one.
        public mutating func unmeasuredSolution(parallel: Parallel, interruption: Interruption = .never) throws -> Solution {
            guard mayBeLarge, sides.contains(where: { $0.residual == nil }) else {
                return try solution(parallel: parallel, interruption: interruption)
            }
            return made(
                residuals: sides.map { _ in .nan }, converged: sides.map { _ in false }, tolerances: sides.map(tolerance(of:)))
        }

        /// Takes notice of D·s for each side, stacked, as whoever has read all examples has found it: the next round need not read them.
        public mutating func take(images: [Float]) {
            let rightHandSides = sides.flatMap(\.rightHandSide)
            let remainders = system.remainder(of: rightHandSides, after: sides.flatMap(\.solution), images: images)
            let residuals = DampedCurvature.relativeNorms(of: remainders, to: rightHandSides, count: sides.count)
            for side in sides.indices {
                sides[side].remainder = Array(remainders[side * system.dimension..<(side + 1) * system.dimension])
                sides[side].residual = residuals[side]
            }
        }

        private func made(residuals: [Double], converged: [Bool], tolerances: [Double] = []) -> Solution {
            Solution(
                vectors: sides.flatMap(\.solution),
                repeats: (0..<lissa.settings.numRepeat).map { index in
                    sides.flatMap { $0.repeats.isEmpty ? $0.solution : $0.repeats[index] }
                },
                residuals: residuals, converged: converged, accuracies: accuracies, tolerances: tolerances)
        }

        /// A residual above this is no solution, where the scale is not a safe one: the zero vector's is 1.
        private static let uselessResidual = 10.0
        /// A solution has converged if its residual is small,
        private static let smallResidual = 1e-3
        /// or, where no error was wanted, if its bias is small and its residual no more than mini-batch noise makes it, which the standard
        /// errors measure.
        private static let smallBias = 0.05
        private static let noisyResidual = 0.5

        /// How much longer an error is beside its correction than in the norm of a preconditioner.
        private static let usualStretch = 5.0

        /// Up to which residual a side counts as solved.
        private func tolerance(of side: RefinedSide) -> Double {
            if hasReachedTarget(side) { return .infinity }
            let isCovered = lissa.settings.relativeError == nil && side.rounds > 0
            return isCovered && contraction(side) <= Self.smallBias ? Self.noisyResidual : Self.smallResidual
        }

        private func hasReachedTarget(_ side: RefinedSide) -> Bool {
            guard let target = lissa.settings.relativeError, let error = accuracy(of: side).relativeError else { return false }
            return error <= target
        }

        private func accuracy(of side: RefinedSide) -> SolutionAccuracy {
            let isPreconditioned = lissa.settings.isPreconditioned && !(side.wasCautious && lissa.cautious != nil)
            return side.accuracy(
                contraction: contraction(side), samplingBias: lissa.samplingBias,
                stretch: isPreconditioned ? Self.usualStretch : 1)
        }

        private func contraction(_ side: RefinedSide) -> Double {
            lissa.contraction(isCautious: side.wasCautious, shift: system.shift)
        }

        /// Whether a large residual says nothing: not at a scale by hand that is not a safe one, where it says that the recursion diverged.
        private var mayBeLarge: Bool { lissa.isSafe(isCautious: false) || lissa.cautious != nil }

        /// Remainders and residuals of some sides, where they are not known yet: one product for all of them.
        private func measure(
            _ chosen: [Int], of sides: inout [RefinedSide], parallel: Parallel, interruption: Interruption
        ) throws {
            let unknown = chosen.filter { sides[$0].remainder == nil }
            guard !unknown.isEmpty else { return }
            let length = system.dimension
            let rightHandSides = unknown.flatMap { sides[$0].rightHandSide }
            let remainders = try system.remainder(
                of: rightHandSides, after: unknown.flatMap { sides[$0].solution }, count: unknown.count, parallel: parallel,
                interruption: interruption)
            let residuals = DampedCurvature.relativeNorms(of: remainders, to: rightHandSides, count: unknown.count)
            // At a safe scale nothing can grow: a large residual is noise along directions that λ leaves nearly free. At an automatic one the
            // next rounds are cautious.
            let worst = mayBeLarge ? Double.greatestFiniteMagnitude : Self.uselessResidual
            guard residuals.allSatisfy({ $0 <= worst }) else {
                throw lissa.failure(at: lissa.settings.recursionDepth, isCautious: mayBeLarge)
            }
            for (position, side) in unknown.enumerated() {
                sides[side].remainder = Array(remainders[position * length..<(position + 1) * length])
                sides[side].residual = residuals[position]
            }
        }
    }
}
