import Foundation
import HTTPTypes
import InverseCurvature
import JSON
import LinearAlgebra
import Store
import Synchronization
import TestSupport
import Testing

@testable import Service

/// Spectra are derived once, whoever asks, and are the same whoever derives them.
@Suite("Keeping spectra")
struct SpectrumKeepingTests {
    private static let kinds = ["density-hessian", "eigenvalues-hessian", "gradient", "spectrum-hessian"]

    @Test("what was derived is in the store, once for each curvature, and a second engine gives the same bytes")
    func kept() throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide)
        let request = try SpectrumBench.request(("curvature", "hessian"))
        let first = try bench.engine().spectrum(request, interruption: .never).json.text
        let checkpoint = try bench.engine().records("net", checkpoint: nil).1
        let records = try bench.store.derived(of: checkpoint)
        #expect(records.map(\.kind) == Self.kinds)
        #expect(try bench.engine().spectrum(request, interruption: .never).json.text == first)
        #expect(try bench.store.derived(of: checkpoint) == records)
        _ = try bench.engine().spectrum(SpectrumBench.request(("curvature", "gauss_newton"), ("k", "2")), interruption: .never)
        #expect(
            try bench.store.derived(of: checkpoint).map(\.kind)
                == ["density-gauss_newton", "density-hessian", "eigenvalues-gauss_newton", "eigenvalues-hessian", "gradient"]
                + ["spectrum-gauss_newton", "spectrum-hessian"])
    }

    @Test("a second engine takes what is kept for what it is: it computes nothing again")
    func notAgain() throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide)
        let request = try SpectrumBench.request()
        _ = try bench.engine().spectrum(request, interruption: .never)
        let checkpoint = try bench.engine().records("net", checkpoint: nil).1
        for record in try bench.store.derived(of: checkpoint) {
            // Something that no computation would give.
            let marked: String? =
                switch record.kind {
                case "gradient": #"{"norm":7,"dataNorm":8,"parameterNorm":9,"exampleNorm":10}"#
                case "eigenvalues-gauss_newton":
                    #"{"dimension":323,"values":[{"value":1,"residual":0},{"value":77,"residual":0.5}]}"#
                case "density-gauss_newton": #"{"dimension":323,"probes":[{"nodes":[1,2],"weights":[0.25,0.75]}]}"#
                default: nil
                }
            guard let marked else { continue }
            try bench.store.putDerived(of: checkpoint, kind: record.kind, key: record.key, summary: marked)
        }
        let answer = try bench.engine().spectrum(request, interruption: .never).json
        #expect(abs(try answer.number("largest", "value") - 77.002) < 1e-9 && answer["lanczos_steps"] == 2)
        #expect(try answer.number("convergence", "gradient_norm") == 7)
        #expect(answer["density"]?["probes"] == 1)
    }

    @Test(
        "what is kept but makes no sense is derived anew",
        arguments: [
            "{}", "null", #"{"dimension":4,"values":[],"probes":[]}"#,
            #"{"dimension":323,"probes":[{"nodes":[1],"weights":[]}],"values":[]}"#,
        ])
    func damaged(summary: String) throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide)
        let request = try SpectrumBench.request(("curvature", "hessian"))
        let whole = try bench.engine().spectrum(request, interruption: .never).json.text
        let checkpoint = try bench.engine().records("net", checkpoint: nil).1
        for record in try bench.store.derived(of: checkpoint) {
            try bench.store.putDerived(of: checkpoint, kind: record.kind, key: record.key, summary: summary)
        }
        #expect(try bench.engine().spectrum(request, interruption: .never).json.text == whole)
    }

    @Test("a store that can't be written is answered from, too")
    func readOnly() throws {
        let bench = try SpectrumBench.network()
        let engine = bench.engine(store: try bench.readOnly())
        let text = try engine.spectrum(SpectrumBench.request(), interruption: .never).json.text
        #expect(try bench.engine().spectrum(SpectrumBench.request(), interruption: .never).json.text == text)
    }

    @Test("the bytes do not depend on the number of threads", arguments: ["hessian", "gauss_newton", "empirical_fisher"])
    func threads(curvature: String) throws {
        let texts = try (1...3).map { threads in
            try SpectrumBench.network(SpectrumBench.wide).engine(threads: threads)
                .spectrum(SpectrumBench.request(("curvature", curvature)), interruption: .never).json.text
        }
        #expect(Set(texts).count == 1)
    }

    @Test("models alike share what was derived, and keep their names")
    func names() throws {
        let bench = try SpectrumBench.network()
        let engine = bench.engine()
        var numbers = SeededNumbers(3)
        _ = (numbers.floats(160), numbers.integers(40, below: 3))
        try engine.importCheckpoint(
            parameters: numbers.floats(51, scale: 1.5), model: "twin", spec: SpectrumBench.tanh, dataset: "train",
            checkpoint: "other", training: TrainingState())
        let one = try engine.spectrum(SpectrumBench.request(), interruption: .never)
        let two = try engine.spectrum(
            SpectrumRequest(model: "twin", checkpoint: nil, parameters: [], limits: SpectrumBench.limits), interruption: .never)
        #expect(one.spectrum == two.spectrum)
        #expect(two.json["model"] == "twin" && two.json["checkpoint"] == "other" && one.json["model"] == "net")
    }

    @Test("whoever no longer wants it stops it, and what is there by then stays", arguments: [1, 40, 400])
    func interrupted(after questions: Int) throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide, count: 400)
        let asked = Mutex(0)
        let interruption = Interruption {
            asked.withLock { count in
                count += 1
                return count > questions
            }
        }
        #expect(throws: Interrupted.self) { try bench.engine().spectrum(SpectrumBench.request(), interruption: interruption) }
        let whole = try bench.engine().spectrum(SpectrumBench.request(), interruption: .never).json.text
        let other = try SpectrumBench.network(SpectrumBench.wide, count: 400)
        #expect(try other.engine().spectrum(SpectrumBench.request(), interruption: .never).json.text == whole)
    }

    @Test("with memory for few vectors there are fewer steps; with less, it says how much is needed")
    func memory() throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide)
        // 32 vectors of 323 numbers in a quarter.
        let answer = try bench.engine(memoryBytes: 4 * 32 * 323 * 4).spectrum(SpectrumBench.request(), interruption: .never).json
        #expect(answer["lanczos_steps"] == 31)
        let problem = #expect(throws: Problem.self) {
            try bench.engine(memoryBytes: 4 * 16 * 323 * 4).spectrum(SpectrumBench.request(), interruption: .never)
        }
        #expect(problem?.status == .unprocessableContent && problem?.detail.contains("compute.memory_bytes") == true)
    }
}
