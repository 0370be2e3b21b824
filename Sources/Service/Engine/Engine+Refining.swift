internal import Attribution
internal import Dispatch
internal import InverseCurvature
internal import LinearAlgebra

// Answers that go on until they are good enough, or time is up.
extension Engine {
    /// What rounds led to.
    struct Refined {
        /// For each subject.
        let solutions: [Solution]
        /// Whether each reached the goal.
        let isReached: [Bool]
    }

    /// Adds rounds for all subjects of a plan that have not reached its goal, until all have, until nothing is left to gain, or until
    /// `deadline` comes near: the best so far is the answer then.
    /// - Throws: `Interrupted` where there was not the time for one round; `SolverError`.
    func refine(
        _ plan: InfluencePlan, _ solving: Solving, by lissa: LiSSA, to goal: InfluenceRequest.Goal, deadline: DispatchTime?,
        _ interruption: Interruption
    ) throws -> Refined {
        var clock = RoundClock(deadline: deadline)
        var refinement = LiSSA.Refinement(
            of: solving.sides.flatMap(\.gradient), count: solving.sides.count, in: solving.system.damped, by: lissa)
        var isReached = solving.sides.map { _ in false }
        var open = Array(solving.sides.indices)
        var rounds = 0
        while !open.isEmpty, rounds < lissa.settings.rounds {
            do {
                // The first round has all the time there is.
                let limit = rounds > 0 ? clock : RoundClock(deadline: nil)
                try refinement.advance(
                    open, parallel: parallel, interruption: Interruption { interruption.isRaised || limit.isOver })
            } catch is Interrupted where rounds > 0 && !interruption.isRaised {
                break
            }
            rounds += 1
            let start = DispatchTime.now()
            switch goal {
            case .relativeError(let error):
                for subject in open where refinement.accuracies[subject].relativeError.map({ $0 <= error }) ?? false {
                    isReached[subject] = true
                }
            case .rankStable:
                let solution = try refinement.solution(parallel: parallel, interruption: interruption)
                for subject in open { isReached[subject] = try isSettled(solution[subject], subject, plan, interruption) }
            }
            clock.took(start.milliseconds(to: .now()))
            // What has the least error there is without being settled has ties, which no round resolves.
            let unfinished = Set(refinement.unfinished)
            open = open.filter { !isReached[$0] && unfinished.contains($0) }
            if clock.isOver { break }
        }
        let solution = try refinement.solution(parallel: parallel, interruption: interruption)
        return Refined(solutions: solving.sides.indices.map { solution[$0] }, isReached: isReached)
    }

    /// Whether a subject's two ends are settled.
    private func isSettled(
        _ solution: Solution, _ subject: Int, _ plan: InfluencePlan, _ interruption: Interruption
    ) throws -> Bool {
        let alone = plan.only(subject)
        let solved = alone.scoring.solving?.sides.map { ($0.key, Result<Solution, any Error>.success(solution)) } ?? []
        let results = rank(
            [.success(alone)], Dictionary(uniqueKeysWithValues: solved), [interruption], interruption)
        return try results[0].get()[0].ranking.isStable ?? false
    }
}

/// When to stop adding rounds, so that there is time left to answer. Times are milliseconds since the clock was made.
private struct RoundClock {
    private let start = DispatchTime.now()
    /// Nil where there is none. Negative where it had passed by then.
    private let deadline: Double?
    /// What has been measured of the work that follows a round.
    private var afterRound = 0.0

    init(deadline: DispatchTime?) {
        let start = start
        self.deadline = deadline.map { start.milliseconds(to: $0) }
    }

    mutating func took(_ milliseconds: Double) { afterRound = max(afterRound, milliseconds) }

    /// Whether it is time: the deadline less a tenth of the time there was, and no less than twice what follows a round.
    var isOver: Bool {
        guard let deadline else { return false }
        return start.milliseconds(to: .now()) > deadline - max(0.1 * deadline, 2 * afterRound)
    }
}
