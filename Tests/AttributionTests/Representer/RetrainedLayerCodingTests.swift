import Attribution
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite("a retrained last layer as bytes")
struct RetrainedLayerCodingTests {
    @Test("what was kept comes back", arguments: try RepresenterProblem.all())
    func roundTrip(problem: RepresenterProblem) throws {
        let layer = try problem.points().layer
        let back = try RetrainedLayer(decoding: layer.encoded, of: problem.model.network)
        #expect(back.network.parameters == layer.network.parameters)
        #expect(back.decay == layer.decay && back.network.network.loss == problem.model.network.loss)
        #expect(back.gradientNorm == layer.gradientNorm && back.steps == layer.steps)
        #expect(back.shift == layer.shift && back.exampleCount == 60)
        #expect(back.encoded == layer.encoded)
    }

    @Test("a byte that changed, bytes too few or too many, and another model's are refused")
    func damage() throws {
        let problem = try RepresenterProblem.all()[2]
        let bytes = try problem.points().layer.encoded
        func isRefused(_ bytes: [UInt8], _ network: Network) -> Bool {
            do {
                _ = try RetrainedLayer(decoding: bytes, of: network)
                return false
            } catch {
                if case .damaged = error { return true }
                return false
            }
        }
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 0x10
            #expect(isRefused(changed, problem.model.network), "byte \(place)")
        }
        for count in [0, 7, 103, 111, bytes.count - 1] { #expect(isRefused(Array(bytes.prefix(count)), problem.model.network)) }
        #expect(isRefused(bytes + [0], problem.model.network))
        let other = try RepresenterProblem(RepresenterProblem.linear(9, 4), loss: #""cross_entropy""#)
        #expect(isRefused(bytes, other.model.network))
    }
}
