import JSON
import TestSupport
import Testing

@testable import Service
@testable import Store

/// What requests leave in the store: what many use, and nothing that a client can ask for in ever new ways.
@Suite("What methods keep in the store")
struct KeptSettingsTests {
    private static func kept(_ bench: MethodBench, _ kind: String) throws -> Int {
        let (_, checkpoint) = try bench.engine().records("soft", checkpoint: nil)
        return try bench.store.derived(of: checkpoint).count { $0.kind.hasPrefix(kind) }
    }

    @Test("denominators are kept of solvers as they are by themselves, not of each that a client sets")
    func norms() throws {
        let bench = try MethodBench([.soft])
        for seed in 1...3 {
            let solver: JSON = ["name": "sketch", "projection_dim": 4, "seed": .integer(seed)]
            _ = try bench.posted(MethodBench.body(.soft, ["method": "relatif", "denominators": solver]))
        }
        _ = try bench.posted(
            MethodBench.body(.soft, ["method": "relatif", "denominators": ["name": "arnoldi", "projection_dim": 3]]))
        #expect(try Self.kept(bench, "norms") == 0)
        for _ in 0..<2 {
            _ = try bench.posted(MethodBench.body(.soft, ["method": "relatif", "denominators": ["name": "exact"]]))
        }
        #expect(try Self.kept(bench, "norms") == 1)
    }

    @Test("recall among neighbours is kept of what requests ask that set nothing else by hand")
    func recall() throws {
        let bench = try MethodBench([.soft])
        func ask(_ members: JSONObject, layer: JSON = .null) throws {
            var body = MethodBench.body(.soft, members)
            body["candidates"] = ["nearest_neighbors": 7, "layer": layer]
            _ = try bench.posted(body)
        }
        for k in 1...4 { try ask(["k": .integer(k)]) }
        try ask(["k": .null, "method": "representer_point", "l2": 0.3])
        try ask(["k": .null, "method": "tracin_cp", "checkpoints": ["b"]])
        try ask(["k": .null, "damping": 0.1])
        try ask(["k": .null], layer: "input")
        #expect(try Self.kept(bench, "recall") == 0)
        for method in ["influence", "tracin_cp", "influence"] { try ask(["k": .null, "method": .string(method)]) }
        #expect(try Self.kept(bench, "recall") == 2)
    }
}
