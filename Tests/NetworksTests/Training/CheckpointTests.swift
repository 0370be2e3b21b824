import LinearAlgebra
import TestSupport
import Testing

@testable import Networks

@Suite("checkpoints of training")
struct CheckpointTests {
    private let objective = SoftmaxProblem(count: 40, width: 4, classes: 3, bias: true, bytes: true)
        .objective(weightDecay: 0.02)

    private func run(_ policy: CheckpointPolicy, epochs: Int = 10) throws -> [TrainingMoment] {
        try Training.run(
            TrainingSettings(
                optimizer: .sgd(SGD(learningRate: 0.2, momentum: 0.9, schedule: .step(epochs: 4, factor: 0.5))), epochs: epochs,
                batchSize: 9, seed: 1, checkpoints: policy), on: objective
        ).moments
    }

    @Test("those asked for are handed over as they come, and the last always, once")
    func asked() throws {
        func epochs(_ policy: CheckpointPolicy, epochs: Int = 10) throws -> [[Int]] {
            try run(policy, epochs: epochs).map { $0.checkpoints.map(\.epoch) }
        }
        let none = [[Int]](repeating: [], count: 10)
        #expect(try epochs(.final) == none + [[10]])
        #expect(try epochs(.every(4)) == [[], [], [], [], [4], [], [], [], [8], [], [10]])
        #expect(try epochs(.every(5)) == [[], [], [], [], [], [5], [], [], [], [], [10]])
        #expect(try epochs(.every(11)) == none + [[10]])
        #expect(try epochs(.epochs([0, 3, 99]), epochs: 4) == [[0], [], [], [3], [4]])
    }

    @Test("a checkpoint is its moment: parameters, steps, loss, and the rate that led there")
    func contents() throws {
        let moments = try run(.every(1))
        for moment in moments.dropFirst() {
            let checkpoint = try #require(moment.checkpoints.first)
            #expect(checkpoint.parameters == moment.parameters)
            #expect(checkpoint.step == moment.step && checkpoint.step == 5 * checkpoint.epoch)
            #expect(checkpoint.trainLoss == moment.trainLoss)
            #expect(checkpoint.learningRate == 0.2 * [1, 0.5, 0.25][(checkpoint.epoch - 1) / 4])
            #expect(checkpoint.isFinal == (checkpoint.epoch == 10))
        }
    }

    @Test("the largest falls of the loss are chosen as if all were known, whatever their number", arguments: 1...12)
    func falls(count: Int) throws {
        let moments = try run(.largestFalls(count: count))
        for moment in moments.dropLast() { #expect(moment.checkpoints.isEmpty) }
        let falls = (1...10).map { (epoch: $0, fall: moments[$0 - 1].trainLoss - moments[$0].trainLoss) }
        let best = falls.filter { $0.fall > 0 }.sorted { $0.fall > $1.fall }.prefix(count).map(\.epoch)
        let kept = try #require(moments.last).checkpoints
        #expect(kept.map(\.epoch) == Set(best + [10]).sorted())
        for checkpoint in kept { #expect(checkpoint.parameters == moments[checkpoint.epoch].parameters) }
        #expect(kept.map(\.isFinal) == kept.indices.map { $0 == kept.count - 1 })
    }

    /// The epochs kept of a course of losses, and the most candidates there ever were.
    private func kept(_ losses: [Double], _ policy: CheckpointPolicy) -> (epochs: [Int], most: Int) {
        var keeper = CheckpointKeeper(policy: policy)
        var (epochs, most): ([Int], Int) = ([], 0)
        for (epoch, loss) in losses.enumerated() {
            epochs += keeper.consider(
                TrainingCheckpoint(
                    epoch: epoch, step: epoch, parameters: [], trainLoss: loss, learningRate: nil,
                    isFinal: epoch == losses.count - 1)
            ).map(\.epoch)
            most = max(most, keeper.candidates.count)
        }
        return (epochs, most)
    }

    @Test(
        "no more are held than are to be kept; rises are no falls, of equal falls the earlier stay, early epochs can be left out"
    )
    func keeper() {
        let losses: [Double] = [20, 10, 9, 8, 9, 3, 2, 2, 1.5]
        #expect(kept(losses, .largestFalls(count: 2)) == ([1, 5, 8], 2))
        #expect(kept(losses, .largestFalls(count: 3)) == ([1, 2, 5, 8], 3))
        #expect(kept(losses, .largestFalls(count: 4)) == ([1, 2, 3, 5, 8], 4))
        #expect(kept(losses, .largestFalls(count: 99)) == ([1, 2, 3, 5, 6, 8], 6))
        #expect(kept(losses, .largestFalls(count: 2, from: 2)) == ([2, 5, 8], 2))
        #expect(kept([1, 2, 3], .largestFalls(count: 2)) == ([2], 0))
        #expect(kept([1], .largestFalls(count: 2)) == ([0], 0))
    }
}
