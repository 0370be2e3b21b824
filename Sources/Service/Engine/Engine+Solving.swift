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

    /// Solves for all subjects of some plans. A solution does not depend on what it was solved with.
    func solve(_ plans: [InfluencePlan], interruption: Interruption) -> Solutions {
        var solutions: Solutions = [:]
        var missing: [(system: System, plan: InfluencePlan, subjects: [InfluencePlan.Subject])] = []
        for plan in plans {
            for subject in plan.subjects where solutions[subject.key] == nil {
                if let kept = self.solutions[subject.key] {
                    counters.solutionCacheHits.add()
                    solutions[subject.key] = .success(kept)
                } else {
                    counters.solutionCacheMisses.add()
                    // Stands until there is a solution: whoever needs the same vector does not ask for it again.
                    solutions[subject.key] = .failure(Interrupted())
                    let system = System(system: subject.key.system, solver: subject.key.solver)
                    if let index = missing.firstIndex(where: { $0.system == system }) {
                        missing[index].subjects.append(subject)
                    } else {
                        missing.append((system, plan, [subject]))
                    }
                }
            }
        }
        for (_, plan, subjects) in missing {
            let width = width(of: plan)
            for start in stride(from: 0, to: subjects.count, by: width) {
                let part = Array(subjects[start..<min(start + width, subjects.count)])
                solutions.merge(solve(part, of: plan, interruption: interruption)) { $1 }
            }
        }
        return solutions
    }

    /// As many as the memory for what they take while they are solved allows.
    private func width(of plan: InfluencePlan) -> Int {
        let bytes = Int.floatBytes(plan.solver.vectorsPerSide, plan.space.dimension) ?? .max
        return max(1, min(Self.width, memoryBytes / 4 / max(1, bytes)))
    }

    private func solve(
        _ subjects: [InfluencePlan.Subject], of plan: InfluencePlan, interruption: Interruption
    ) -> Solutions {
        do {
            counters.batches.add()
            counters.batchedRightHandSides.add(subjects.count)
            let solved = try solveTogether(subjects, of: plan, interruption: interruption)
            return Dictionary(
                uniqueKeysWithValues: subjects.enumerated().map { index, subject in
                    let solution = solved[index]
                    solutions.insert(solution, for: subject.key)
                    return (subject.key, .success(solution))
                })
        } catch let error as SolverError where subjects.count > 1 && error.mayBeOfOne {
            // One that can't be solved must not take the others with it: each alone then, and each with its own outcome.
            return subjects.reduce(into: [:]) { outcomes, subject in
                outcomes.merge(solve([subject], of: plan, interruption: interruption)) { $1 }
            }
        } catch {
            return Dictionary(uniqueKeysWithValues: subjects.map { ($0.key, .failure(error)) })
        }
    }

    private func solveTogether(
        _ subjects: [InfluencePlan.Subject], of plan: InfluencePlan, interruption: Interruption
    ) throws -> Solution {
        try namingDamping(of: plan.system, interruption: interruption) {
            let solver = try plan.solver.solver(for: plan.system, in: self, interruption: interruption)
            return try solver.solveUnmeasured(
                subjects.flatMap(\.gradient), count: subjects.count, in: plan.system.damped, parallel: parallel,
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
