import JSON
import TestSupport

@testable import Service

/// One way to score, with the members that it needs.
struct MethodCase: CustomStringConvertible, Sendable {
    let name: String
    let members: JSONObject

    /// Caches that some of them need, of every checkpoint.
    static let caches = ["projected-normal-8-seed5-float32", "dense-float16"]

    var description: String { "\(name) \(JSON.object(members).text)" }

    private init(_ name: String, _ members: JSONObject = [:]) {
        self.name = name
        self.members = members.merging(["method": .string(name)])
    }

    private static let exact: JSON = ["name": "exact"]
    private static let lissa: JSON = ["name": "lissa", "recursion_depth": 40, "num_repeat": 3, "batch_size": 8]

    static let all: [MethodCase] = [
        MethodCase("influence", ["solver": exact]), MethodCase("influence", ["solver": lissa, "damping": 1]),
        MethodCase("influence", ["solver": exact, "measurement": "margin", "gradients": "dense-float16"]),
        MethodCase("relatif", ["solver": exact]), MethodCase("relatif", ["solver": exact, "relatif_method": "l"]),
        MethodCase("relatif", ["solver": lissa, "damping": 1, "denominators": ["name": "ekfac"]]),
        MethodCase("tracin_cp"), MethodCase("tracin_cp", ["contributions": true, "checkpoints": ["c", "a"]]),
        MethodCase("tracin_cp", ["gradients": .string(caches[0])]), MethodCase("representer_point", ["l2": 0.2]),
        MethodCase("gradient_dot"), MethodCase("gradient_dot", ["gradients": .string(caches[0])]),
        MethodCase("gradient_cosine"), MethodCase("gradient_cosine", ["gradients": .string(caches[0])]),
        MethodCase("gradient_cosine", ["gradients": .string(caches[1]), "measurement": "logit"]),
        MethodCase("nearest_neighbor"), MethodCase("nearest_neighbor", ["metric": "cosine", "layer": "input"]),
        MethodCase("trak", ["gradients": .string(caches[0])]),
        MethodCase("trak", ["gradients": .string(caches[0]), "models": ["second"], "damping": 0.1]),
        MethodCase("trak", ["gradients": .string(caches[0]), "checkpoints": "all", "damping": 0.1, "damping_mode": "relative"]),
    ]

    /// Whether scores for several tests as one are the sum of those for each.
    var isLinear: Bool { name != "gradient_cosine" }

    /// Stores for tests that only ask.
    private static let shared = [false, true].map { weighted in Result { try bench(weighted: weighted) } }

    static func sharedBench(weighted: Bool = false) throws -> MethodBench { try shared[weighted ? 1 : 0].get() }

    /// A store in which all of them can be asked.
    static func bench(weighted: Bool = false) throws -> MethodBench {
        let bench = try MethodBench([.net], weighted: weighted)
        // Another model, to be averaged with.
        var numbers = SeededNumbers(5)
        let theta = numbers.floats(PlainNetwork.parameterCount(MethodBench.Kind.net.widths), scale: 0.5)
        try bench.add(theta, "a", to: .net, named: "second", rate: nil)
        try bench.build(caches[0], .net, "a", model: "second")
        for name in caches { for checkpoint in ["a", "b", "c"] { try bench.build(name, .net, checkpoint) } }
        return bench
    }
}
