import Foundation
import JSON
import TestSupport
import Testing

/// What self-influence is for (TracIn, section 4.1; Koh & Liang 2017, section 5.4): among the largest are the examples whose labels are wrong.
@Suite("Wrong labels among the digits", .serialized)
struct WrongLabelTests {
    private static let count = 1_397

    /// A store with the demo's digits, a tenth of whose labels are wrong, and two models that were trained on them.
    private static let shared = Result { try WrongLabels() }

    private final class WrongLabels: Sendable {
        let server: InfluencedServer
        let wrong: Set<Int>

        init() throws {
            let bench = try Workbench.demo()
            var inputs: [Float] = []
            var labels: [Int] = []
            for index in 0..<WrongLabelTests.count {
                let example = try Demo.server().get("/datasets/digits-train/examples/\(index)").json
                inputs += try example.member("input").flattened.map { Float($0) }
                labels.append(try example.integer("target"))
            }
            var numbers = SeededNumbers(10)
            wrong = Set((0..<WrongLabelTests.count).shuffled(using: &numbers).prefix(WrongLabelTests.count / 10))
            for index in wrong.sorted() { labels[index] = (labels[index] + 1 + Int.random(in: 0..<9, using: &numbers)) % 10 }
            try bench.write("x.npy", ArrayFile.npy(inputs, shape: [labels.count, 8, 8]))
            try bench.write("y.npy", ArrayFile.npy(labels, shape: [labels.count]))
            try bench.succeed("import", "dataset", "--name", "noisy", "--inputs", "@x.npy", "--targets", "@y.npy")
            try bench.write("softmax.json", softmax)
            try bench.write("network.json", TrainBench.network)
            try bench.succeed("train", "--name", "softmax", "--spec", "@softmax.json", "--dataset", "noisy")
            try bench.succeed(
                "train", "--name", "network", "--spec", "@network.json", "--dataset", "noisy", "--optimizer", "sgd",
                "--learning-rate",
                "0.1", "--momentum", "0.9", "--epochs", "12", "--checkpoint-every", "4", "--batch-size", "32")
            server = try bench.serve()
        }

        private let softmax = """
            {"layers": [{"type": "flatten"}, {"type": "linear", "in_features": 64, "out_features": 10}], "input_shape": [8, 8],
             "loss": {"type": "cross_entropy"}, "weight_decay": 0.01}
            """
    }

    @Test(
        "come first, whichever method looks for them",
        arguments: [
            ("softmax", ["method": "influence"]), ("softmax", ["method": "gradient_dot"]),
            ("softmax", ["method": "representer_point"]),
            ("network", ["method": "tracin_cp", "checkpoints": "all"]), ("network", ["method": "gradient_dot"]),
            ("network", ["method": "representer_point"]), ("network", ["solver": ["name": "ekfac"], "damping": 0.01]),
            ("network", ["solver": ["name": "exact"], "damping": 0.01]),
        ] as [(String, JSON)])
    func comeFirst(model: String, members: JSON) throws {
        let (server, wrong) = (try Self.shared.get().server, try Self.shared.get().wrong)
        let request = members.with(["model": .string(model), "k": .integer(Self.count / 5)])
        let answer = try server.post("/self-influence", request)
        try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        let listed = try answer.json.list("examples").map { try $0.integer("index") }
        let found = [Self.count / 10, Self.count / 5].map {
            Double(wrong.intersection(listed.prefix($0)).count) / Double(wrong.count)
        }
        print("\(model) \(members.text): \(found) of the wrong labels in the first tenth and fifth")
        // Looking at a fifth of the examples at random finds a fifth of them.
        #expect(found[0] > 0.7 && found[1] > 0.85, "\(found)")
    }
}
