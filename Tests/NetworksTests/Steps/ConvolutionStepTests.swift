import LinearAlgebra
@testable import Networks
import Testing

extension StepCase {
    typealias Pair = LayerSpec.Pair

    static func convolution(
        _ inChannels: Int, _ outChannels: Int, _ input: Pair, kernel: Pair, stride: Pair = Pair(1), padding: Pair = Pair(0),
        dilation: Pair = Pair(1), groups: Int = 1, rows: Int = 2, bias: Bool = true, trainsWeight: Bool = true,
        trainsBias: Bool = true, _ reference: [Double] = []
    ) -> StepCase {
        let window = LayerSpec.Window(kernel: kernel, stride: stride, padding: padding, dilation: dilation)
        let output = window.outputExtents(of: input, ceilMode: false) ?? Pair(0)
        var slots = Slots()
        let weight = slots.slot(outChannels * inChannels / groups * kernel.height * kernel.width, isTrained: trainsWeight)
        let shift = bias ? slots.slot(outChannels, isTrained: trainsBias) : nil
        return StepCase(
            testDescription: "\(inChannels)→\(outChannels) \(input) \(window) groups \(groups) rows \(rows)",
            operation: .convolution(
                ConvolutionStep(
                    inChannels: inChannels, outChannels: outChannels, groups: groups, input: input, output: output,
                    window: window, weight: weight, bias: shift)),
            rows: rows, inputWidth: inChannels * input.height * input.width,
            outputWidth: outChannels * output.height * output.width, trainedCount: slots.trained,
            fixed: sines(slots.fixed, 5, 0.7), reference: reference)
    }
}

@Suite("convolution")
struct ConvolutionStepTests {
    /// The references are from PyTorch 2.15 in float64: y of torch.nn.functional.conv2d, (δx, δθ) of torch.autograd.grad with
    /// create_graph, and the three's derivatives along (ẋ, v, δẏ) by differentiating their products with a vector once more.
    static let cases: [StepCase] = [
        .convolution(
            1, 1, .init(1), kernel: .init(1),
            [
                0.9689050755230517, 0.9760082982262895, 1.737893848412086, 0.8222689901871416, 1.8194774505195532,
                0.6807919130444847,
            ]),
        .convolution(
            1, 1, .init(5), kernel: .init(3), rows: 1,
            [
                0.9178822328057783, 1.4079113626991004, 0.0876777201114371, -1.7711801331624797, -0.6506655298664001,
                -1.7416576784433948,
            ]),
        .convolution(
            1, 6, .init(8), kernel: .init(3), padding: .init(1),
            [4.143754838687477, 3.740908462378389, -5.287351015144425, 18.95706820666651, -1.052900053818206, 3.315288846930991]),
        .convolution(
            3, 4, .init(5, 7), kernel: .init(3, 2), rows: 3,
            [
                1.072442156630835, 0.26269532933446516, -1.3252692029288553, -26.104357771179934, -6.2004079487118915,
                -1.580529072689508,
            ]),
        .convolution(
            2, 3, .init(6, 5), kernel: .init(6, 5),
            [
                -0.3268977075066051, -1.0662704438119306, 22.858979375155478, -1.5691245160552914, -0.4180893176092457,
                -3.644322075100419,
            ]),
        .convolution(
            4, 5, .init(4, 3), kernel: .init(1), rows: 3,
            [
                79.65969444038794, -7.457521170518023, 0.0964806073185116, 23.502354781595937, -7.284221621200156,
                -21.756391707655432,
            ]),
        .convolution(
            2, 3, .init(7, 6), kernel: .init(3), stride: .init(2), padding: .init(1),
            [
                2.3562342851897067, -1.3624146644248243, 0.9887889579859559, 1.6102214794311562, -0.8311564682115016,
                -0.35664603163764874,
            ]),
        .convolution(
            2, 2, .init(9, 8), kernel: .init(2, 3), stride: .init(3, 2), padding: .init(0, 1),
            [
                3.814438000493429, 1.6702417362849595, -0.7297794898969697, 2.060039929438548, 0.40643890051201037,
                1.2819850316332604,
            ]),
        .convolution(
            2, 3, .init(7), kernel: .init(1), stride: .init(2),
            [
                6.633619802377142, -1.3503756633143433, -1.408553559279988, 2.9822825876986947, 3.365764736208238,
                0.9726147382929654,
            ]),
        .convolution(
            1, 2, .init(8), kernel: .init(2), stride: .init(3), bias: false,
            [
                0.09725384448030483, -2.5924678997934345, -1.367493401379672, 0.17437653277376253, 2.1706505691879405,
                4.133667616035182,
            ]),
        .convolution(
            2, 3, .init(9, 7), kernel: .init(3, 2), padding: .init(2, 1), dilation: .init(2, 3),
            [
                -3.434281456179308, -3.3158879452922734, -15.29825114964929, 55.01434902728586, 3.675853494515877,
                0.8229468003793308,
            ]),
        .convolution(
            2, 2, .init(8, 9), kernel: .init(3), stride: .init(2), padding: .init(3), dilation: .init(2),
            [
                -0.3207077702161026, -1.1356943231783614, -5.379723296969474, -4.742891710637594, 2.770301479312355,
                0.21503618164620797,
            ]),
        .convolution(
            1, 2, .init(10, 11), kernel: .init(3), stride: .init(3, 2), padding: .init(1, 4), dilation: .init(2, 3),
            [
                9.928231627073142, 0.5932524805807011, -6.387636116452633, 2.491669770102829, -9.612125327223964,
                0.5788615946097271,
            ]),
        .convolution(
            2, 2, .init(3, 2), kernel: .init(2), padding: .init(3, 4),
            [
                12.84343788634585, 0.03342148830280722, -0.8227506546595567, -31.614007797314287, -3.3607964505396684,
                -2.1903399267451773,
            ]),
        .convolution(
            4, 6, .init(5), kernel: .init(3), padding: .init(1), groups: 2,
            [
                -32.401175003283676, -8.995090398878558, 0.6739043428587839, -6.821133779268021, 12.212027401018148,
                7.7676933196723805,
            ]),
        .convolution(
            5, 5, .init(6), kernel: .init(3), padding: .init(1), groups: 5,
            [
                -7.4377877332059, 7.088854791454209, 0.10284198768217667, -2.2100471720760373, -2.967349331843124,
                2.4046758541091586,
            ]),
        .convolution(
            3, 6, .init(5, 6), kernel: .init(2, 3), stride: .init(1, 2), groups: 3, bias: false,
            [
                0.3811610473784903, 0.34604004189613, -0.527770410024086, -0.42496329356595647, -0.20257045211600633,
                -0.6399479993666848,
            ]),
        .convolution(
            2, 17, .init(4, 5), kernel: .init(2), rows: 1,
            [
                -5.812364949130235, -2.6564563711786775, 0.974704154257114, -0.439603406542459, -1.403955990123995,
                9.426212558975001,
            ]),
        .convolution(
            9, 11, .init(3, 4), kernel: .init(2), rows: 5,
            [
                6.988147452901201, 21.0190071719654, 0.02709351917621272, 2.6949797965258266, -160.61108201065312,
                0.8585397201112825,
            ]),
        .convolution(
            1, 2, .init(20, 37), kernel: .init(3, 5), padding: .init(1, 2), rows: 1,
            [
                -2918.002153720423, -1.4780363433680985, -2.065221767513971, 2788.623386852316, -8.785942875591248,
                -21.374794220234264,
            ]),
        .convolution(
            1, 1, .init(1, 2100), kernel: .init(1, 3), padding: .init(0, 1), rows: 1,
            [
                -1088.270044826258, 0.02256762268077428, 1.653243988193786, -10.826019069846545, 2.8256743666749182,
                -6.3489984100421015,
            ]),
        .convolution(
            1, 1, .init(3, 16), kernel: .init(3), padding: .init(1), rows: 40,
            [
                2858.2206460847738, 5.143336992812124, -24.57686190352755, -1321.9694959176911, -10.348894017032343,
                6.966105744417538,
            ]),
    ]

    static let frozen: [StepCase] = [
        .convolution(2, 3, .init(5), kernel: .init(3), padding: .init(1), trainsWeight: false),
        .convolution(2, 3, .init(5), kernel: .init(3), trainsBias: false),
        .convolution(2, 3, .init(5), kernel: .init(3), trainsWeight: false, trainsBias: false),
    ]

    @Test("outputs and derivatives are PyTorch's", arguments: cases)
    func reference(subject: StepCase) { subject.expectPyTorchsResults() }

    @Test(
        "derivatives are those of the outputs, frozen or not", arguments: cases.filter { $0.rows * $0.inputWidth < 800 } + frozen)
    func derivatives(subject: StepCase) { subject.expectDerivatives() }

    @Test("single precision agrees with double", arguments: cases + frozen)
    func precisions(subject: StepCase) { subject.expectPrecisionsAgree() }

    @Test("and so on every vector unit that the processor has, as does the largest number of a window")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in ["baseline", "AVX2", "AVX-512"] where VectorUnit.use(unit) {
                for subject in ConvolutionStepTests.cases + PoolingStepTests.cases { subject.expectPrecisionsAgree() }
            }
        }
    }

    @Test("an example has the same bits whatever others are computed with it")
    func companions() {
        let many = StepCase.convolution(3, 7, .init(9, 10), kernel: .init(3), stride: .init(2), padding: .init(1), rows: 30)
        let one = StepCase.convolution(3, 7, .init(9, 10), kernel: .init(3), stride: .init(2), padding: .init(1), rows: 1)
        let (all, dx) = (StepRun<Float>(many).forward(), StepRun<Float>(many).backward(StepRun<Float>(many).tangents.dy))
        for row in [0, 13, 29] {
            var run = StepRun<Float>(one)
            run.x = Array(StepRun<Float>(many).x[row * one.inputWidth..<(row + 1) * one.inputWidth])
            #expect(run.forward() == Array(all[row * one.outputWidth..<(row + 1) * one.outputWidth]))
            let dy = Array(StepRun<Float>(many).tangents.dy[row * one.outputWidth..<(row + 1) * one.outputWidth])
            #expect(run.backward(dy) == Array(dx[row * one.inputWidth..<(row + 1) * one.inputWidth]))
        }
    }

    @Test("what an image has around it never reaches its neighbour, even where it is infinite")
    func infinity() {
        let subject = StepCase.convolution(2, 3, .init(4, 5), kernel: .init(3), padding: .init(1), rows: 3)
        var run = StepRun<Float>(subject)
        let clean = run.forward()
        run.x[subject.inputWidth] = .infinity
        let width = subject.outputWidth
        #expect(Array(run.forward()[..<width]) == Array(clean[..<width]))
        #expect(Array(run.forward()[(2 * width)...]) == Array(clean[(2 * width)...]))
    }

    @Test("sizes whose padded images are too large are known before anything is set aside for them")
    func workingCount() {
        func count(_ input: Int, _ output: Int, padding: Int, dilation: Int) -> Int? {
            ConvolutionStep.workingCount(
                inChannels: 1, outChannels: 2, input: .init(input), output: .init(output),
                window: .init(kernel: .init(2), padding: .init(padding), dilation: .init(dilation)))
        }
        #expect(count(5, 4, padding: 0, dilation: 1) == 2 * 6 * 6)
        #expect(count(10, 10, padding: 1 << 20, dilation: 1 << 21) == nil)
        #expect(count(10, 10, padding: 1 << 30, dilation: 1 << 31) == nil)
        #expect(count(10, 10, padding: 1 << 40, dilation: 1 << 41) == nil)
    }

    @Test("a window with too many places, or too many remainders by its stride, is known before they are listed")
    func listedPlaces() {
        func count(_ channels: Int, _ side: Int, kernel: Int, stride: Int) -> Int? {
            ConvolutionStep.workingCount(
                inChannels: channels, outChannels: 1, input: .init(side), output: .init((side - kernel) / stride + 1),
                window: .init(kernel: .init(kernel), stride: .init(stride)))
        }
        #expect(count(1, 256, kernel: 128, stride: 128) == 256 * 256)
        #expect(count(1, 256, kernel: 129, stride: 129) == nil)
        #expect(count(64, 256, kernel: 256, stride: 1) != nil)
        #expect(count(65, 256, kernel: 256, stride: 1) == nil)
        #expect(count(1 << 26, 1 << 30, kernel: 1 << 30, stride: 1 << 30) == nil)
    }
}
