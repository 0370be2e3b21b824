@testable import Networks
import Testing

extension StepCase {
    static func maxPool(
        _ channels: Int, _ input: Pair, kernel: Pair, stride: Pair, padding: Pair = Pair(0), dilation: Pair = Pair(1),
        ceil: Bool = false, rows: Int = 2, _ reference: [Double] = []
    ) -> StepCase {
        let window = LayerSpec.Window(kernel: kernel, stride: stride, padding: padding, dilation: dilation)
        let output = window.outputExtents(of: input, ceilMode: ceil) ?? Pair(0)
        return StepCase(
            testDescription: "max \(input) \(window) ceil \(ceil)",
            operation: .maxPool(MaxPoolStep(channels: channels, input: input, output: output, window: window)), rows: rows,
            inputWidth: channels * input.height * input.width, outputWidth: channels * output.height * output.width,
            reference: reference)
    }

    static func meanPool(
        _ channels: Int, _ input: Pair, kernel: Pair, stride: Pair, padding: Pair = Pair(0), ceil: Bool = false,
        countsPadding: Bool = true, divisor: Int? = nil, rows: Int = 2, _ reference: [Double] = []
    ) -> StepCase {
        let window = LayerSpec.Window(kernel: kernel, stride: stride, padding: padding)
        let output = window.outputExtents(of: input, ceilMode: ceil) ?? Pair(0)
        return mean(
            channels, input, output, MeanPoolStep.spans(of: window, on: input, output: output, countIncludePad: countsPadding),
            divisor, rows,
            "mean \(input) \(window) ceil \(ceil) padding \(countsPadding)", reference)
    }

    static func adaptivePool(
        _ channels: Int, _ input: Pair, to output: Pair, rows: Int = 2, _ reference: [Double] = []
    ) -> StepCase {
        mean(
            channels, input, output, MeanPoolStep.adaptiveSpans(of: input, output: output), nil, rows,
            "adaptive \(input) \(output)",
            reference)
    }

    private static func mean(
        _ channels: Int, _ input: Pair, _ output: Pair, _ spans: MeanPoolStep.Spans,
        _ divisor: Int?, _ rows: Int, _ description: String, _ reference: [Double]
    ) -> StepCase {
        StepCase(
            testDescription: description,
            operation: .meanPool(
                MeanPoolStep(
                    channels: channels, input: input, output: output, vertical: spans.vertical, horizontal: spans.horizontal,
                    divisor: divisor)),
            rows: rows, inputWidth: channels * input.height * input.width,
            outputWidth: channels * output.height * output.width, reference: reference)
    }
}

@Suite("pooling")
struct PoolingStepTests {
    /// The references are made as those of the convolutions, with torch.nn.functional.max_pool2d, avg_pool2d and adaptive_avg_pool2d.
    static let cases: [StepCase] = [
        .maxPool(
            2, .init(4), kernel: .init(2), stride: .init(2),
            [0.43962176636285977, 0.5031348252544607, 0, -1.9618675788160018, 0.04120888108782195, 0]),
        .maxPool(
            1, .init(5, 7), kernel: .init(3, 2), stride: .init(2, 3), rows: 1,
            [-0.1901832176930891, 0.14184001996007023, 0, -1.9074529291927436, 1.6603662177460627, 0]),
        .maxPool(
            3, .init(6, 5), kernel: .init(3), stride: .init(1), padding: .init(1),
            [12.275823390638497, -3.605605068715773, 0, 2.5631477526956754, 3.1915013616075822, 0]),
        .maxPool(
            2, .init(7, 8), kernel: .init(2), stride: .init(2), ceil: true,
            [0.11777207210389651, -1.0839567964900767, 0, 1.8272173166616201, -0.16992131258534238, 0]),
        .maxPool(
            2, .init(8, 9), kernel: .init(3, 2), stride: .init(2, 3), padding: .init(1), dilation: .init(2), ceil: true,
            [1.0625385511769825, 1.0766942403769009, 0, -1.775340093599733, -1.3956826712175818, 0]),
        .maxPool(
            1, .init(5, 3), kernel: .init(5, 3), stride: .init(1),
            [1.5073394750886062, 1.0307757042108139, 0, 0.5524133883173064, 0.8977402606167937, 0]),
        .maxPool(
            2, .init(2), kernel: .init(3), stride: .init(2), ceil: true,
            [0.2916543156748673, 0.016799911360869557, 0, -1.0530401749284843, 1.4330199671312749, 0]),
        .maxPool(
            1, .init(5, 40), kernel: .init(2, 3), stride: .init(2, 2), padding: .init(0, 1),
            [-0.34591995279929155, -0.30954676952253735, 0, 1.2682300054635445, 1.2752468591486474, 0]),
        .meanPool(
            2, .init(4), kernel: .init(2), stride: .init(2),
            [-0.2572440545981259, 1.4271073386826751, 0, 0.4329167048088446, -0.8818217994838509, 0]),
        .meanPool(
            1, .init(5, 7), kernel: .init(3, 2), stride: .init(2, 3), rows: 1,
            [0.12672923273161563, -0.20103811275852343, 0, -0.033785629506291104, -0.36284015332891206, 0]),
        .meanPool(
            2, .init(6, 5), kernel: .init(3), stride: .init(2), padding: .init(1),
            [0.471829924456762, 0.04092786880722174, 0, 0.09075813623781157, 0.5259550606648866, 0]),
        .meanPool(
            2, .init(6, 5), kernel: .init(3), stride: .init(2), padding: .init(1), countsPadding: false,
            [1.008117385149018, -0.14035252078743998, 0, -0.19177304438144183, 0.7210858231826196, 0]),
        .meanPool(
            2, .init(7, 8), kernel: .init(3), stride: .init(2), padding: .init(1), ceil: true,
            [-0.21642012955298814, -0.008039960553686276, 0, -0.0384318377374796, 0.5467824911015222, 0]),
        .meanPool(
            2, .init(7, 8), kernel: .init(4, 3), stride: .init(3), padding: .init(2, 1), ceil: true, countsPadding: false,
            [-0.10896199223550429, 0.41926546653569396, 0, 0.03602180485925438, -0.3878294929830111, 0]),
        .meanPool(
            1, .init(6), kernel: .init(2), stride: .init(3), ceil: true, divisor: 5,
            [0.566065608440721, 0.8002451223766334, 0, -0.5596334413116157, -0.2603702877464624, 0]),
        .meanPool(
            2, .init(5, 3), kernel: .init(5, 3), stride: .init(1),
            [0.0021975025615355373, 0.02497580510906449, 0, -0.009906263803434581, 0.011146300844235103, 0]),
        .adaptivePool(
            2, .init(7, 5), to: .init(3, 2),
            [0.1592315865981211, -0.1237520657383091, 0, 0.08017702888761236, 0.707656639694076, 0]),
        .adaptivePool(
            1, .init(3, 4), to: .init(5, 7), rows: 1,
            [0.2549274049729384, 8.487288745673059, 0, -0.9079626608037614, -2.1318582344195436, 0]),
        .adaptivePool(
            3, .init(6), to: .init(1),
            [0.06321867822992734, 0.006268320305171675, 0, 0.012206705078349561, -0.009464973079048374, 0]),
        .adaptivePool(
            2, .init(4, 3), to: .init(4, 3),
            [20.546008077551768, 2.536501382209516, 0, 3.9845671949779695, 0.3140275777371224, 0]),
    ]

    @Test("outputs and derivatives are PyTorch's", arguments: cases)
    func reference(subject: StepCase) { subject.expectPyTorchsResults() }

    @Test("derivatives are those of the outputs", arguments: cases)
    func derivatives(subject: StepCase) { subject.expectDerivatives() }

    @Test("single precision agrees with double", arguments: cases)
    func precisions(subject: StepCase) { subject.expectPrecisionsAgree() }

    @Test("of equal numbers the first takes the gradient, a NaN wins, and of several the last: as in PyTorch")
    func ties() {
        let subject = StepCase.maxPool(1, .init(2, 4), kernel: .init(2), stride: .init(2), rows: 3)
        var run = StepRun<Float>(subject)
        let nan = Float.nan
        run.x = [
            1, 3, 7, 7, 3, 3, 7, 7, nan, 5, 1, nan, 9, 0, nan, 8, 0, -0.0, -.infinity, -.infinity, 0, 0, -.infinity, -.infinity,
        ]
        let y = run.forward(.first)
        #expect(y == run.forward(.none) || y.contains { $0.isNaN })
        #expect(y[0] == 3 && y[1] == 7 && y[2].isNaN && y[3].isNaN && y[4] == 0 && y[5] == -.infinity)
        #expect(run.backward([1, 2, 3, 4, 5, 6]) == [0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 4, 0, 5, 0, 6, 0, 0, 0, 0, 0])
    }

    @Test("a window that padding and dilation leave empty gives −∞ and no gradient")
    func empty() {
        let subject = StepCase.maxPool(
            1, .init(2), kernel: .init(2), stride: .init(1), padding: .init(1), dilation: .init(3), rows: 1)
        #expect(subject.outputWidth == 1)
        #expect(StepRun<Float>(subject).forward(.first) == [-.infinity])
        #expect(StepRun<Float>(subject).backward([1]) == [0, 0, 0, 0])
        #expect(StepRun<Float>(subject).tangent(StepRun<Float>(subject).tangents) == [0])
    }

    @Test("windows much larger than their image cost no more than it")
    func huge() {
        let subject = StepCase.maxPool(
            1, .init(2), kernel: .init(1 << 30), stride: .init(1 << 29), padding: .init(1 << 29), rows: 1)
        #expect(subject.outputWidth == 1 && StepRun<Float>(subject).forward(.first) == [StepRun<Float>(subject).x.max() ?? .nan])
        #expect(subject.operation.operations(subject.step) == 8)
    }
}
