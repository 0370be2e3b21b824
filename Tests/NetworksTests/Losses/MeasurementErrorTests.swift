import LinearAlgebra
import Testing

@testable import Networks

@Suite("measurements that can't be made")
struct MeasurementErrorTests {
    private let cross = LossSpec.crossEntropy(labelSmoothing: 0)

    /// What is said of a measurement that can't be made; nil of one that can.
    private func refusal(
        _ loss: LossSpec, _ measurement: OutputMeasurement, _ target: Double, _ versus: Double? = nil, width: Int = 1
    ) -> String? {
        do {
            try loss.check(measurement, target: target, versus: versus, outputWidth: width)
            return nil
        } catch { return error.description }
    }

    @Test("a measurement that the loss doesn't know is refused with those that it does")
    func unavailable() {
        for measurement in [OutputMeasurement.logit, .margin, .probability] {
            #expect(refusal(.meanSquaredError, measurement, 0.5) == "mean_squared_error has no labels: measurement must be loss")
        }
        #expect(
            refusal(.smoothHinge(temperature: 1), .probability, 1)
                == "smooth_hinge has no probabilities: measurement must be loss, logit or margin")
        #expect(
            refusal(cross, .margin, 0, width: 1)
                == "one class alone has no margin: measurement must be loss, logit or probability")
        #expect(refusal(cross, .probability, 0, width: 1) == nil && refusal(.meanSquaredError, .loss, 0.5, 1) == nil)
    }

    @Test("labels that the loss can't take are refused, and which of the two it is")
    func labels() {
        #expect(refusal(cross, .loss, 3, width: 3) == "target must be a label from 0 to 2; got 3")
        #expect(refusal(cross, .logit, 1, -1, width: 3) == "versus must be a label from 0 to 2; got -1")
        #expect(refusal(cross, .logit, .nan, width: 3) == "target must be a label from 0 to 2; got nan")
        #expect(refusal(.smoothHinge(temperature: 1), .margin, 0) == "target must be -1 or 1 for smooth_hinge; got 0")
        let soft = "must be a label, 0 or 1, where the measurement is not the loss; got 0.5"
        #expect(refusal(.binaryCrossEntropy, .margin, 0.5) == "target " + soft)
        #expect(refusal(.binaryCrossEntropy, .probability, 1, 0.5) == "versus " + soft)
        #expect(refusal(.binaryCrossEntropy, .loss, 0.5) == nil)
    }

    @Test("a label is not contrasted with itself")
    func nothingToContrast() {
        #expect(
            refusal(cross, .loss, 2, 2, width: 3) == "versus is the target itself, 2: name another label to contrast it with")
        #expect(refusal(.meanSquaredError, .loss, 0.5, 0.5) != nil && refusal(.binaryCrossEntropy, .logit, 0, 0) != nil)
    }

    @Test("outputs that are not finite are not measured", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(bad: Double) {
        for measurement in OutputMeasurement.allCases {
            #expect(throws: MeasurementError.notFinite(example: nil)) {
                try cross.measure(measurement, of: [0, bad, 1], target: 0, versus: 1)
            }
        }
        #expect(throws: MeasurementError.notFinite(example: nil)) { try cross.marginWeight(of: [bad, 1], target: 0) }
    }

    @Test("weights of margins are refused where there is no margin, with the example where it is one")
    func weights() {
        func refusal(_ loss: LossSpec, _ outputs: [Float], _ targets: Targets, width: Int = 1) -> String? {
            do {
                _ = try loss.marginWeights(
                    of: AlignedMemory(copying: outputs), width: width, targets: targets, parallel: Parallel(threads: 1))
                return nil
            } catch { return "\(error)" }
        }
        for text in [refusal(.meanSquaredError, [1, 2], .values([0, 1])), refusal(cross, [0, 1], .labels([0, 0]))] {
            #expect(text?.hasSuffix("a model of several classes, binary_cross_entropy or smooth_hinge has") == true)
        }
        #expect(throws: MeasurementError.noMargin(.meanSquaredError)) {
            try LossSpec.meanSquaredError.marginWeight(of: [1], target: 0)
        }
        #expect(
            refusal(.binaryCrossEntropy, [1, 2], .values([0, 0.5]))
                == "training example 1 has the target 0.5, which is no label: a margin needs 0 or 1")
        #expect(
            refusal(cross, [0, 1, 0, .infinity], .labels([0, 1]), width: 2)
                == "the model's outputs for training example 1 are not finite")
        #expect(refusal(cross, [0, 1, 0, 2], .labels([0, 2]), width: 2) == "target must be a label from 0 to 1; got 2")
        #expect(refusal(cross, [], .labels([]), width: 2) == nil)
    }
}
