internal import Attribution
internal import Foundation
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks

// s_test vectors: each computed once while it is kept, and all that are missing of one system together.
extension Engine {
    /// The solutions, or why there is none, by their keys.
    typealias Solutions = [SolutionKey: Result<Solution, any Error>]

    /// What is solved in one go: right-hand sides of one system by one solver.
    private struct System: Hashable {
        let system: FactorKey
        /// The solver's settings, as text.
        let solver: String
    }

    /// Right-hand sides that are solved at a time: more gain nothing, and take memory.
    private static let width = 64

    /// Solves for all that some requests have solved. A solution does not depend on what it was solved with.
    func solve(_ wanted: [Solving], interruption: Interruption) -> Solutions {
        var solutions: Solutions = [:]
        var missing: [(system: System, solving: Solving, sides: [Solving.Side])] = []
        for solving in wanted {
            for side in solving.sides where solutions[side.key] == nil {
                if let kept = self.solutions[side.key] {
                    counters.solutionCacheHits.add()
                    solutions[side.key] = .success(kept)
                } else {
                    counters.solutionCacheMisses.add()
                    // Stands until there is a solution: whoever needs the same vector does not ask for it again.
                    solutions[side.key] = .failure(Interrupted())
                    let system = System(system: side.key.system, solver: side.key.solver)
                    if let index = missing.firstIndex(where: { $0.system == system }) {
                        missing[index].sides.append(side)
                    } else {
                        missing.append((system, solving, [side]))
                    }
                }
            }
        }
        for (_, solving, sides) in missing {
            let width = width(of: solving)
            for start in stride(from: 0, to: sides.count, by: width) {
                let part = Array(sides[start..<min(start + width, sides.count)])
                solutions.merge(solve(part, of: solving, interruption: interruption)) { $1 }
            }
        }
        return solutions
    }

    /// As many as the memory for what they take while they are solved allows.
    private func width(of solving: Solving) -> Int {
        let bytes = Int.floatBytes(solving.solver.vectorsPerSide, solving.space.dimension) ?? .max
        return max(1, min(Self.width, memoryBytes / 4 / max(1, bytes)))
    }

    private func solve(
        _ sides: [Solving.Side], of solving: Solving, interruption: Interruption
    ) -> Solutions {
        do {
            counters.batches.add()
            counters.batchedRightHandSides.add(sides.count)
            let solved = try solveTogether(sides, of: solving, interruption: interruption)
            return Dictionary(
                uniqueKeysWithValues: sides.enumerated().map { index, side in
                    let solution = solved[index]
                    solutions.insert(solution, for: side.key)
                    return (side.key, .success(solution))
                })
        } catch let error as SolverError where sides.count > 1 && error.mayBeOfOne {
            // One that can't be solved must not take the others with it: each alone then, and each with its own outcome.
            return sides.reduce(into: [:]) { outcomes, side in
                outcomes.merge(solve([side], of: solving, interruption: interruption)) { $1 }
            }
        } catch {
            return Dictionary(uniqueKeysWithValues: sides.map { ($0.key, .failure(error)) })
        }
    }

    private func solveTogether(
        _ sides: [Solving.Side], of solving: Solving, interruption: Interruption
    ) throws -> Solution {
        try namingDamping(of: solving.system, interruption: interruption) {
            let solver = try solving.solver.solver(for: solving.system, in: self, interruption: interruption)
            return try solver.solveUnmeasured(
                sides.flatMap(\.gradient), count: sides.count, in: solving.system.damped, parallel: parallel,
                interruption: interruption)
        }
    }
}

extension SolverError {
    /// Whether other right-hand sides of the system may have a solution nevertheless.
    fileprivate var mayBeOfOne: Bool {
        switch self {
        case .diverged, .notFinite, .indefinite: true
        case .notPositiveDefinite, .tooLarge: false
        }
    }
}
