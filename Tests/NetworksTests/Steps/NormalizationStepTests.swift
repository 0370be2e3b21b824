@testable import Networks
import Testing

extension StepCase {
    /// Means and variances are the first fixed tensors, sin(0.3 + k) and 1.5 + sin(0.9 + k).
    static func batchNorm(
        _ channels: Int, spatial: Int, epsilon: Double = 1e-5, affine: Bool = true, trainsWeight: Bool = true,
        trainsBias: Bool = true, rows: Int = 3, _ reference: [Double] = []
    ) -> StepCase {
        var slots = Slots()
        let (mean, variance) = (slots.slot(channels, isTrained: false), slots.slot(channels, isTrained: false))
        let weight = affine ? slots.slot(channels, isTrained: trainsWeight) : nil
        let bias = affine ? slots.slot(channels, isTrained: trainsBias) : nil
        return StepCase(
            testDescription: "\(channels) × \(spatial) affine \(affine) \(trainsWeight) \(trainsBias)",
            operation: .batchNorm(
                BatchNormStep(
                    channels: channels, spatial: spatial, epsilon: epsilon, mean: mean, variance: variance, weight: weight,
                    bias: bias)),
            rows: rows, inputWidth: channels * spatial, outputWidth: channels * spatial, trainedCount: slots.trained,
            fixed: sines(channels, 0.3, 1) + sines(channels, 0.9, 1).map { $0 + 1.5 } + sines(slots.fixed - 2 * channels, 5, 0.7),
            reference: reference)
    }

    static func layerNorm(
        _ positions: Int, width: Int, epsilon: Double = 1e-5, affine: Bool = true, bias: Bool = true, trainsWeight: Bool = true,
        trainsBias: Bool = true, rows: Int = 2, _ reference: [Double] = []
    ) -> StepCase {
        var slots = Slots()
        let weight = affine ? slots.slot(width, isTrained: trainsWeight) : nil
        let shift = affine && bias ? slots.slot(width, isTrained: trainsBias) : nil
        return StepCase(
            testDescription: "\(positions) × \(width) affine \(affine) \(bias) \(trainsWeight) \(trainsBias)",
            operation: .layerNorm(
                LayerNormStep(positions: positions, width: width, epsilon: epsilon, weight: weight, bias: shift)),
            rows: rows, inputWidth: positions * width, outputWidth: positions * width, trainedCount: slots.trained,
            fixed: sines(slots.fixed, 5, 0.7), reference: reference)
    }
}

@Suite("batch norm and layer norm")
struct NormalizationStepTests {
    /// The references are made as those of the convolutions, with torch.nn.functional.batch_norm (training=False) and layer_norm.
    static let cases: [StepCase] = [
        .batchNorm(
            5, spatial: 1,
            [
                -2.5816844870973483, 0.13109398861931232, 1.4528487022865775, 1.6210582932947957, 1.4703867300921614,
                0.40910417666745813,
            ]),
        .batchNorm(
            1, spatial: 1, rows: 1,
            [
                0.17078386654113908, 0.5280912218880066, 0.7912308477979426, 0.2119599497428351, 0.8035268216108403,
                -0.2238557225155533,
            ]),
        .batchNorm(
            3, spatial: 12,
            [
                -3.0133515840806187, -0.11040871083893555, 6.901271490791832, 3.5804060436385776, 0.7146395724238015,
                -0.14940087282147646,
            ]),
        .batchNorm(
            2, spatial: 35, epsilon: 0.1, rows: 1,
            [
                6.511164822689776, 0.1635398598281358, 3.0785748348382196, 13.060975311581387, 1.0462950664497694,
                -2.0249149836476805,
            ]),
        .batchNorm(
            4, spatial: 9, affine: false, [36.660724928406495, 1.965708993473953, 0, 4.102573252285088, -0.25373225922634957, 0]),
        .layerNorm(
            1, width: 16,
            [
                3.138836877779956, -0.10772892723194905, 0.7561043229550735, -0.753819995118655, 0.3038464477055616,
                4.837532848827574,
            ]),
        .layerNorm(
            3, width: 5, epsilon: 0.01,
            [
                3.3888216803350666, -0.5390570649423612, 1.8689538190502821, -4.7490841033533195, -0.7965778304809035,
                1.8077614079391433,
            ]),
        .layerNorm(
            2, width: 9, affine: false, [20.895742806024373, -2.1149810939689613, 0, -6.681279386197165, 0.8323021373312244, 0]),
        .layerNorm(
            1, width: 37, bias: false, rows: 3,
            [
                -1.1473150742377545, -1.4532268482777857, 0.9719364877774441, 2.009724980257323, -0.6816392852535325,
                1.089854594219478,
            ]),
        .layerNorm(
            4, width: 2, epsilon: 0.5, rows: 1,
            [
                -1.4276640081614946, 0.6700413019251605, 1.0919861813742329, -1.6733003052388375, 1.0467417169163928,
                -1.0611175273103237,
            ]),
    ]

    static let frozen: [StepCase] = [
        .batchNorm(3, spatial: 4, trainsWeight: false),
        .batchNorm(3, spatial: 1, trainsBias: false),
        .batchNorm(3, spatial: 4, trainsWeight: false, trainsBias: false),
        .layerNorm(2, width: 6, trainsWeight: false),
        .layerNorm(2, width: 6, trainsBias: false),
        .layerNorm(2, width: 6, trainsWeight: false, trainsBias: false),
    ]

    @Test("outputs and derivatives are PyTorch's", arguments: cases)
    func reference(subject: StepCase) { subject.expectPyTorchsResults() }

    @Test("derivatives are those of the outputs, frozen or not", arguments: cases + frozen)
    func derivatives(subject: StepCase) { subject.expectDerivatives() }

    @Test("single precision agrees with double", arguments: cases + frozen)
    func precisions(subject: StepCase) { subject.expectPrecisionsAgree() }

    @Test("numbers that are all the same are normalized to nothing but the bias")
    func constant() {
        let subject = StepCase.layerNorm(1, width: 6, rows: 1)
        var run = StepRun<Double>(subject)
        run.x = Array(repeating: 3, count: 6)
        #expect(run.forward() == Array(run.parameters[6...]))
        #expect(!run.everything().joined().contains { $0.isNaN })
    }

    @Test("a channel that hardly varies keeps its digits", arguments: [1, 3])
    func smallVariance(spatial: Int) {
        var double = StepRun<Double>(StepCase.batchNorm(2, spatial: spatial, epsilon: 1e-12))
        double.fixed.replaceSubrange(0..<4, with: [1000, -300, 1e-8, 1e-10])
        double.fixed = double.fixed.map { Double(Float($0)) }
        double.x = double.x.indices.map { i in
            Double(Float((i / spatial) % 2 == 0 ? 1000 : -300) + Float(i % 5) * 0x1p-12)
        }
        double.parameters = double.parameters.map { Double(Float($0)) }
        var single = StepRun<Float>(double.subject)
        single.fixed = double.fixed.map { Float($0) }
        single.x = double.x.map { Float($0) }
        single.parameters = double.parameters.map { Float($0) }
        let expected = double.forward()
        let size = expected.reduce(0) { max($0, abs($1)) }
        #expect(size > 1)
        for (y, truth) in zip(single.forward(), expected) { #expect(abs(Double(y) - truth) < 1e-6 * size) }
    }
}
