import Foundation
import JSON
import TestSupport
import Testing

/// A workbench with data to train on.
struct TrainBench: Sendable {
    let bench: Workbench
    let dataset: String

    /// The digits, and a network with a hidden layer.
    static func digits() throws -> TrainBench {
        let bench = try Workbench.demo()
        try bench.write("spec.json", network)
        return TrainBench(bench: bench, dataset: "digits-train")
    }

    /// A problem that is convex and small, and its spec.
    static func small() throws -> TrainBench {
        let folder = try TemporaryDirectory()
        let problem = SmallProblem()
        let start = [Double](repeating: 0, count: SmallProblem.parameterCount)
        return TrainBench(bench: Workbench(folder: folder, store: try problem.store(start, in: folder)), dataset: "small")
    }

    static let network = """
        {"layers": [{"type": "flatten"}, {"type": "linear", "name": "hidden", "in_features": 64, "out_features": 16},
                    {"type": "tanh"}, {"type": "linear", "name": "top", "in_features": 16, "out_features": 10}],
         "input_shape": [8, 8], "loss": {"type": "cross_entropy"}, "weight_decay": 0.001}
        """

    func arguments(_ name: String, _ options: [String]) -> [String] {
        ["train", "--name", name, "--spec", "@spec.json", "--dataset", dataset] + options
    }

    func run(_ name: String, _ options: [String]) throws -> CommandResult { try bench.run(arguments(name, options)) }

    /// Trains, which must succeed.
    @discardableResult
    func train(_ name: String, _ options: [String], location: SourceLocation = #_sourceLocation) throws -> String {
        let result = try run(name, options)
        try #require(result.ending == .exited(0), "\(result)", sourceLocation: location)
        #expect(result.standardError.isEmpty, "\(result.standardError)", sourceLocation: location)
        #expect(!FileManager.default.fileExists(atPath: statePath(name)), sourceLocation: location)
        return result.standardOutput
    }

    /// Begins to train, and returns once standard output has some words, or it has ended.
    func begin(_ name: String, _ options: [String], until words: String) throws -> InfluencedProcess {
        let command = arguments(name, options).map { $0.hasPrefix("@") ? bench.folder.path(String($0.dropFirst())) : $0 }
        let process = try InfluencedProcess(command + ["--store", bench.store])
        #expect(eventually(seconds: 60) { process.standardOutput.contains(words) || process.poll() != nil })
        return process
    }

    /// Whether there is a training to go on with.
    func isUnfinished(_ name: String) -> Bool { FileManager.default.fileExists(atPath: statePath(name)) }

    /// The file that keeps an unfinished training.
    func statePath(_ name: String) -> String { "\(bench.store).\(name).training" }

    /// The checkpoints of models, as the service shows them.
    func checkpoints(_ names: String...) throws -> [[JSON]] {
        let server = try bench.serve()
        return try names.map { try server.get("/models/\($0)").json.list("checkpoints") }
    }
}
