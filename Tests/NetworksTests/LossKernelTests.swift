import TestSupport
import Testing

@testable import Networks

@Suite("losses: second derivatives")
struct LossKernelTests {
    /// A·u of one example.
    private func product<Number: Real>(_ outputs: [Number], target: Double, of u: [Number]) -> [Number] {
        let loss = LossKernel(loss: .crossEntropy(labelSmoothing: 0), width: outputs.count)
        var (gradient, image) = (outputs, u)
        var state = [Number](repeating: 0, count: loss.stateWidth)
        loss.differentiate(outputs, target: target, weight: 1, gradient: &gradient, state: &state)
        loss.multiply(state, u, into: &image)
        return image
    }

    @Test("products for cross entropy keep their digits however confident the model is", arguments: [0, 5, 15, 40])
    func confident(margin: Float) {
        let (outputs, u) = ([1, margin + 1, 0.5, -2], [0.3, -1.7, 2, 0.9]) as ([Float], [Float])
        let expected = product(outputs.map { Double($0) }, target: 0, of: u.map { Double($0) })
        for (image, truth) in zip(product(outputs, target: 0, of: u), expected) {
            #expect(abs(Double(image) - truth) < 1e-5 * abs(truth))
        }
        // A is symmetric, with nothing along (1, …, 1), and positive.
        let size = expected.reduce(0) { $0 + abs($1) }
        #expect(abs(expected.reduce(0, +)) < 1e-14 * size)
        #expect(zip(u, expected).reduce(0) { $0 + Double($1.0) * $1.1 } > 0)
        #expect(product(outputs, target: 0, of: [3, 3, 3, 3]) == [0, 0, 0, 0])
    }
}
