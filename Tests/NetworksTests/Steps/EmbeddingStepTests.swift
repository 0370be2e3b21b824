@testable import Networks
import Testing

extension StepCase {
    /// Token ids are (7k + 3) mod `count`.
    static func embedding(
        _ positions: Int, count: Int, width: Int, padding: Int? = nil, mean: Bool = false, isTrained: Bool = true, rows: Int = 3,
        _ reference: [Double] = []
    ) -> StepCase {
        var slots = Slots()
        let weight = slots.slot(count * width, isTrained: isTrained)
        return StepCase(
            testDescription: "\(positions) of \(count) × \(width) padding \(padding ?? -1) mean \(mean)",
            operation: .embedding(
                EmbeddingStep(positions: positions, count: count, width: width, padding: padding, isMean: mean, weight: weight)),
            rows: rows, inputWidth: positions, outputWidth: mean ? width : positions * width, trainedCount: slots.trained,
            fixed: sines(slots.fixed, 5, 0.7), ids: (0..<rows * positions).map { Double((7 * $0 + 3) % count) },
            untrained: padding.map { $0 * width..<($0 + 1) * width } ?? 0..<0, reference: reference)
    }
}

@Suite("embedding")
struct EmbeddingStepTests {
    /// The references are made as those of the convolutions, with torch.nn.functional.embedding, and its mean over the ids that are not
    /// padding.
    static let cases: [StepCase] = [
        .embedding(
            4, count: 9, width: 3, [3.8333160784118623, 0, 4.560579139545246, -0.06230281641483576, 0, -2.404214673017911]),
        .embedding(
            5, count: 6, width: 4, padding: 2,
            [0.5295486610986231, 0, 2.6342349513008747, 10.171869470482862, 0, 2.876479028024768]),
        .embedding(
            6, count: 5, width: 4, mean: true,
            [-0.8602713882464976, 0, -0.18618262307006786, -0.10719830383058146, 0, 0.46644619719327696]),
        .embedding(
            7, count: 8, width: 3, padding: 0, mean: true,
            [-0.08429069141760813, 0, -0.6394773183634409, 0.20225809099223563, 0, 0.17013374146194316]),
        .embedding(
            1, count: 3, width: 2, padding: 1, mean: true, rows: 4,
            [1.285947264218977, 0, 1.8639485274348435, 3.0216403575158095, 0, -0.741079195060945]),
    ]

    @Test("outputs and derivatives are PyTorch's", arguments: cases)
    func reference(subject: StepCase) { subject.expectPyTorchsResults() }

    @Test("derivatives are those of the outputs", arguments: cases)
    func derivatives(subject: StepCase) { subject.expectDerivatives() }

    @Test("single precision agrees with double", arguments: cases)
    func precisions(subject: StepCase) { subject.expectPrecisionsAgree() }

    @Test("a frozen table has no gradient and moves along no direction", arguments: [false, true])
    func frozen(mean: Bool) {
        let run = StepRun<Float>(.embedding(4, count: 5, width: 2, mean: mean, isTrained: false))
        let dy = run.tangents.dy
        #expect(run.forward().contains { $0 != 0 })
        #expect(run.backward(dy).allSatisfy { $0 == 0 })
        #expect(run.tangent(.init(x: nil, v: [], dy: dy, tangentDy: dy)).allSatisfy { $0 == 0 })
    }

    @Test("the mean of nothing but padding is zero")
    func padding() {
        var run = StepRun<Float>(.embedding(3, count: 4, width: 2, padding: 1, mean: true, rows: 1))
        run.x = [1, 1, 1]
        #expect(run.forward() == [0, 0])
        #expect(run.accumulate([1, 1]) == Array(repeating: 0, count: 8))
    }

    @Test(
        "a number that is no id reads nothing beyond the table", arguments: [-1, 4, 1e30, .infinity, -.infinity, .nan] as [Float])
    func outOfRange(id: Float) {
        var run = StepRun<Float>(.embedding(1, count: 4, width: 2, rows: 1))
        run.x = [id]
        #expect(run.forward() == Array(run.parameters[0..<2]))
    }
}
