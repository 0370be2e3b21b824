import LinearAlgebra
import Networks

/// How the tests of training run.
enum Training {
    /// A run to its end.
    static func run(
        _ settings: TrainingSettings, on objective: some TrainingObjective, from parameters: [Float]? = nil, threads: Int = 2
    ) throws -> (last: TrainingMoment, moments: [TrainingMoment]) {
        var run = try TrainingRun(
            settings, of: objective, from: parameters ?? [Float](repeating: 0, count: objective.dimension))
        var moments: [TrainingMoment] = []
        try run.resume(on: objective, parallel: Parallel(threads: threads)) { moments.append($0) }
        return (moments[moments.count - 1], moments)
    }

    /// The checkpoints of a run, in the order they were handed over.
    static func checkpoints(_ moments: [TrainingMoment]) -> [TrainingCheckpoint] { moments.flatMap(\.checkpoints) }
}
