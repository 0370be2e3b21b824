import Foundation
import JSON
import TestSupport
import Testing

/// A folder with a store and the files that go into it.
struct Workbench: Sendable {
    let folder: TemporaryDirectory
    let store: String

    init() throws {
        folder = try TemporaryDirectory()
        store = folder.path("store.sqlite")
    }

    init(folder: TemporaryDirectory, store: String) {
        self.folder = folder
        self.store = store
    }

    /// Writes a file, and returns its path.
    @discardableResult
    func write(_ name: String, _ contents: Data) throws -> String {
        try contents.write(to: folder.url.appendingPathComponent(name))
        return folder.path(name)
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

    /// Serves the store.
    func serve(
        _ arguments: [String] = [], environment: [String: String] = [:], launcher: [String] = []
    ) throws -> InfluencedServer {
        try InfluencedServer(store: store, in: folder, arguments, environment: environment, launcher: launcher)
    }

    /// Runs a command on the store. A word that begins with @ stands for the path of a file in the folder.
    func run(_ arguments: String...) throws -> CommandResult { try run(arguments) }

    func run(_ arguments: [String], stdin: String = "") throws -> CommandResult {
        let words = arguments.map { $0.hasPrefix("@") ? folder.path(String($0.dropFirst())) : $0 }
        let process = try InfluencedProcess(words + ["--store", store], stdin: Data(stdin.utf8))
        return CommandResult(
            ending: try process.wait(), standardOutput: process.standardOutput, standardError: process.standardError)
    }

    /// Runs a command that must succeed.
    @discardableResult
    func succeed(_ arguments: String..., location: SourceLocation = #_sourceLocation) throws -> String {
        let result = try run(arguments)
        try #require(result.ending == .exited(0), "\(arguments): \(result.standardError)", sourceLocation: location)
        return result.standardOutput
    }

    /// Expects a command to be refused with 2 and words that name what is wrong.
    func refuse(_ arguments: [String], _ mentions: [String], location: SourceLocation = #_sourceLocation) throws {
        let result = try run(arguments)
        #expect(result.ending == .exited(2), "\(result)", sourceLocation: location)
        #expect(result.standardOutput.isEmpty, sourceLocation: location)
        for words in mentions {
            #expect(result.standardError.contains(words), "\(result.standardError)", sourceLocation: location)
        }
    }

    /// A workbench whose store is a copy of the demo's.
    static func demo() throws -> Workbench {
        let bench = try Workbench()
        try Demo.copy(to: bench.store)
        return bench
    }

    /// Files that everything else varies: three examples of two features, labels 0 to 2, and a model of theirs.
    func writeGoodFiles() throws {
        try write("x.npy", ArrayFile.npy([0, 1, 2, 3, 4, 5] as [Float], shape: [3, 2]))
        try write("y.npy", ArrayFile.npy([0, 2, 1], shape: [3]))
        try write("spec.json", Self.spec)
        try write("model.safetensors", Self.parameters())
    }

    static let spec = """
        {"layers": [{"type": "linear", "in_features": 2, "out_features": 3}], "loss": {"type": "cross_entropy"}, "weight_decay": 0.1}
        """

    static func parameters(weight: [Int] = [3, 2], first: Float = 0.5) -> Data {
        let values = [first] + (1..<weight.reduce(1, *)).map { Float($0) / 10 }
        return ArrayFile.safetensors([("0.weight", values, weight), ("0.bias", [0.1, 0.2, 0.3], [3])])
    }

    static let importGoodDataset = ["import", "dataset", "--name", "good", "--inputs", "@x.npy", "--targets", "@y.npy"]
    static let importGoodModel = [
        "import", "model", "--name", "good", "--dataset", "good", "--spec", "@spec.json", "--parameters", "@model.safetensors",
    ]

    /// A workbench whose store holds the good dataset and the good model.
    static func prepared() throws -> Workbench {
        let bench = try Workbench()
        try bench.writeGoodFiles()
        for command in [importGoodDataset, importGoodModel] {
            let result = try bench.run(command)
            try #require(result.ending == .exited(0), "\(result.standardError)")
        }
        return bench
    }
}
