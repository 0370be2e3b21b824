import Attribution
import HTTPTypes
import JSON
import LinearAlgebra
import Networks
import TestSupport
import Testing

@testable import Service

/// TRAK through the engine against its formula in double precision, the projection's matrix alone being ours.
@Suite("The method trak")
struct TRAKMethodTests {
    private static let (cache, width) = ("projected-normal-8-seed5-float32", 8)

    /// P of a model, [d, p]: what the projection makes of each unit vector.
    private static func projection(_ bench: MethodBench, _ model: String, _ checkpoint: String) throws -> DenseMatrix {
        let loaded = try bench.engine().model(model, checkpoint: checkpoint)
        let chosen = try bench.engine().gradients(of: loaded, named: cache, interruption: .never)
        let projection = try #require((chosen.gradients as? RowGradients)?.projection)
        let p = loaded.dimension
        var units = [Float](repeating: 0, count: p * p)
        for i in 0..<p { units[i * p + i] = 1 }
        let rows = try projection.project(units, count: p, parallel: Parallel(threads: 1), interruption: .never)
        return DenseMatrix(rows: p, columns: width, elements: rows.map(Double.init)).transposed
    }

    /// The log-odds of the label, their gradient in θ, and 1 − p.
    private static func margin(_ network: PlainNetwork, _ x: [Double], _ y: Double) -> (gradient: [Double], weight: Double) {
        let f = network.outputs(x)
        switch network.loss {
        case .crossEntropy:
            let p = PlainNetwork.softmax(f)
            let label = Int(y)
            return (network.pullback(x, p.indices.map { $0 == label ? 1 : -p[$0] / (1 - p[label]) }), 1 - p[label])
        case .binaryCrossEntropy:
            return (network.pullback(x, [y == 1 ? 1 : -1]), PlainNetwork.sigmoid(y == 1 ? -f[0] : f[0]))
        case .smoothHinge(let t): return (network.pullback(x, [y]), PlainNetwork.sigmoid((1 - y * f[0]) / t))
        case .squaredError: return ([], .nan)
        }
    }

    /// τ by Σ over models of φ_test(ΦᵀΦ + λI)⁻¹φᵢ and 1 − p, both as means.
    private static func scores(
        _ members: [(network: PlainNetwork, projection: DenseMatrix)], _ data: PlainData, x: [Double], y: Double,
        damping: Double = 0, isRelative: Bool = false
    ) -> [Double] {
        var (products, weights) = ([Double](repeating: 0, count: data.count), [Double](repeating: 0, count: data.count))
        for (network, projection) in members {
            let margins = data.inputs.indices.map { margin(network, data.inputs[$0], data.targets[$0]) }
            let features = margins.map { projection.times($0.gradient) }
            var gram = DenseMatrix(rows: width, columns: width)
            for (i, feature) in features.enumerated() {
                for a in 0..<width { for b in 0..<width { gram[a, b] += data.weight(i) * feature[a] * feature[b] } }
            }
            let unit = isRelative ? (0..<width).reduce(0) { $0 + gram[$1, $1] } / Double(width) : 1
            let solved = gram.plus(diagonal: damping * unit).solved(for: projection.times(margin(network, x, y).gradient))
            for i in features.indices {
                products[i] += features[i].dot(solved) / Double(members.count)
                weights[i] += margins[i].weight / Double(members.count)
            }
        }
        return data.inputs.indices.map { products[$0] * weights[$0] * data.weight($0) }
    }

    @Test("of one checkpoint", arguments: [MethodBench.Kind.soft, .net, .logistic, .hinge], [false, true])
    func one(kind: MethodBench.Kind, weighted: Bool) throws {
        let bench = try MethodBench([kind], weighted: weighted)
        let model = try #require(bench.models[kind])
        let last = model.checkpoints.count == 3 ? "c" : "a"
        // The logistic regression has five parameters: eight numbers of them leave the kernel singular.
        let settings: [(JSONObject, Double, Bool)] =
            (kind == .soft || kind == .net ? [([:], 0, false)] : []) + [
                (["damping": 0.5], 0.5, false), (["damping": 0.2, "damping_mode": "relative"], 0.2, true),
            ]
        try bench.build(Self.cache, kind, last)
        let projection = try Self.projection(bench, kind.rawValue, last)
        for (members, damping, isRelative) in settings {
            let answer = try bench.answer(kind, members.merging(["method": "trak", "gradients": .string(Self.cache)]))
            for test in 0..<3 {
                let expected = Self.scores(
                    [(model.network, projection)], model.data, x: model.tests.inputs[test], y: model.tests.targets[test],
                    damping: damping, isRelative: isRelative)
                let scores = try #require(answer.results[test].allScores)
                #expect(Closeness.largestError(scores, expected) < 2e-4, "\(members), test \(test)")
            }
        }
    }

    @Test("of several checkpoints, and of other models, averaged", arguments: [MethodBench.Kind.soft, .net], [false, true])
    func several(kind: MethodBench.Kind, weighted: Bool) throws {
        let bench = try MethodBench([kind], weighted: weighted)
        let model = try #require(bench.models[kind])
        var numbers = SeededNumbers(77)
        let other = numbers.floats(PlainNetwork.parameterCount(kind.widths), scale: 0.5)
        try bench.add(other, "only", to: kind, named: "second", rate: nil)
        for checkpoint in ["a", "b", "c"] { try bench.build(Self.cache, kind, checkpoint) }
        let missing = try #require(
            bench.refusal(MethodBench.body(kind, ["method": "trak", "gradients": .string(Self.cache), "models": ["second"]])))
        #expect(missing.status == .unprocessableContent && missing.detail.contains("second"), "\(missing.detail)")
        try bench.build(Self.cache, kind, "only", model: "second")
        let members = try ["a", "b", "c"].enumerated().map {
            (network: model.checkpoints[$0], projection: try Self.projection(bench, kind.rawValue, $1))
        }
        let guest = (
            network: PlainNetwork(kind.widths, kind.loss, other), projection: try Self.projection(bench, "second", "only")
        )
        let cases: [(JSONObject, [(network: PlainNetwork, projection: DenseMatrix)])] = [
            (["checkpoints": "all"], members), (["checkpoints": ["c", "a"]], [members[2], members[0]]),
            (["models": ["second"]], [members[2], guest]), (["checkpoints": "all", "models": ["second"]], members + [guest]),
            (["checkpoints": ["b"]], [members[1]]), (["checkpoint": "a", "models": ["second"]], [members[0], guest]),
        ]
        for (settings, averaged) in cases {
            let answer = try bench.posted(
                MethodBench.body(kind, settings.merging(["method": "trak", "gradients": .string(Self.cache), "damping": 0.3])))
            for (test, result) in answer.shownResults.enumerated() {
                let expected = Self.scores(
                    averaged, model.data, x: model.tests.inputs[test], y: model.tests.targets[test], damping: 0.3)
                #expect(Closeness.largestError(result["all_scores"]?.tensor ?? [], expected) < 2e-4, "\(settings)")
                #expect(result["diagnostics"]?["averaged"]?.arrayValue?.count == averaged.count)
            }
        }
    }

    @Test("the order in which checkpoints are named changes no bit of scores")
    func order() throws {
        let bench = try MethodBench([.net])
        for checkpoint in ["a", "b", "c"] { try bench.build(Self.cache, .net, checkpoint) }
        func scores(_ names: JSON) throws -> [[Float]] {
            try bench.scores(.net, ["method": "trak", "gradients": .string(Self.cache), "checkpoints": names])
        }
        let first = try scores("all")
        for names: JSON in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"], ["b", "a", "c"]] {
            #expect(try scores(names) == first, "\(names)")
        }
    }

    @Test("what it can't do it refuses, saying what would work")
    func refusals() throws {
        let bench = try MethodBench([.soft, .smoothed, .squared, .logistic])
        for kind in [MethodBench.Kind.smoothed, .squared, .logistic] { try bench.build(Self.cache, kind) }
        try bench.build(Self.cache, .soft, "c")
        try bench.build("dense-float32", .soft, "c")
        func refused(_ kind: MethodBench.Kind, _ members: JSONObject, _ pointer: String, _ words: String...) throws {
            let usual: JSONObject = ["method": "trak", "gradients": .string(Self.cache)]
            let body = MethodBench.body(kind, usual.merging(members))
            let problem = try #require(bench.refusal(body), "\(members)")
            #expect(problem.status == .unprocessableContent && problem.errors.map(\.pointer) == [pointer], "\(problem)")
            for word in words { #expect(problem.detail.contains(word), "\(problem.detail)") }
        }
        try refused(.smoothed, [:], "/method", "label_smoothing", "influence")
        try refused(.squared, [:], "/method", "mean_squared_error")
        try refused(.soft, ["gradients": .null], "/gradients", Self.cache)
        try refused(.soft, ["gradients": "dense-float32"], "/gradients", Self.cache)
        try refused(.soft, ["gradients": .null, "checkpoint": "a"], "/gradients", "influenced cache --kind projected")
        try refused(.soft, ["checkpoints": "all"], "/gradients", "'a'", "influenced cache")
        try refused(.logistic, [:], "/damping", "λ")
        try refused(.soft, ["models": ["soft"]], "/models/0", "own model")
        try refused(.soft, ["models": ["logistic"]], "/models/0", "classes", "labels")
        try refused(.soft, ["models": ["x", "x"]], "/models", "twice")
        try refused(.soft, ["damping": -1], "/damping")
        try bench.add([Float](repeating: 0.1, count: 15), "a", to: .smoothed, named: "guest", rate: nil)
        try bench.build(Self.cache, .smoothed, model: "guest")
        try refused(.soft, ["models": ["guest"]], "/models/0", "label_smoothing")
        // In θ, and as the cache has projected it.
        for width in [15, Self.width] {
            let tests: JSON = [
                ["dataset": "classes-test", "index": 1], ["gradient": .numbers([Double](repeating: 1, count: width))],
            ]
            try refused(.soft, ["tests": tests], "/tests/1", "input")
        }
    }

    @Test("checkpoints whose part in scores is more than fits into memory are refused before they are read")
    func memory() throws {
        let bench = try MethodBench([.soft])
        let names = (0..<80).map { "e\($0)" }
        for (place, name) in names.enumerated() {
            try bench.add([Float](repeating: Float(place) / 100, count: 15), name, to: .soft, rate: nil)
        }
        let body = MethodBench.body(.soft, ["method": "trak", "checkpoints": .array(names.map { .string($0) })])
        let problem = #expect(throws: Problem.self) { try bench.posted(body, bench.engine(memoryBytes: 128 << 10)) }
        #expect(problem?.errors.map(\.pointer) == ["/checkpoints"] && problem?.detail.contains("memory_bytes") == true)
    }
}
