import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// The commands besides `serve` and `import`.
@Suite("Commands")
struct CommandTests {
    @Test(
        "help is asked for and given: 0, on standard output",
        arguments: [
            ["--help"], ["help"], ["help", "serve"], ["serve", "--help"], ["import", "--help"], ["import", "dataset", "-h"],
            ["query", "--help"],
        ])
    func help(arguments: [String]) throws {
        let process = try InfluencedProcess(arguments)
        #expect(try process.wait() == .exited(0))
        #expect(process.standardOutput.contains("USAGE: influenced"))
        #expect(process.standardError.isEmpty)
    }

    @Test(
        "wrong usage is refused with 2, and the right one shown",
        arguments: [
            ["frobnicate"], ["serve"], ["import", "things"], ["query", "--store", "x"], ["check", "--shop", "x"],
            ["check", "--store"], ["demo", "extra", "--store", "x"], ["import", "dataset", "--store", "x", "--name", "y"],
            ["cache", "--store", "x", "--model", "m", "--kind", "sparse"],
            ["cache", "--store", "x", "--model", "m", "--checkpoint", "c", "--all-checkpoints"],
            ["query", "--store", "x", "request.json", "--format", "xml"],
        ])
    func wrongUsage(arguments: [String]) throws {
        let process = try InfluencedProcess(arguments)
        #expect(try process.wait() == .exited(2))
        #expect(process.standardOutput.isEmpty)
        #expect(process.standardError.contains("Usage: influenced"), "\(process.standardError)")
        #expect(!FileManager.default.fileExists(atPath: "x"))
    }

    @Test("a command that is not there is wrong usage, though help is what it gets", arguments: [[], ["import"]])
    func noCommand(arguments: [String]) throws {
        let process = try InfluencedProcess(arguments)
        #expect(try process.wait() == .exited(2))
        #expect((process.standardOutput + process.standardError).contains("USAGE: influenced"))
    }

    @Test("the demo says what it does, leaves a whole store, and adds nothing when it is there already")
    func demo() throws {
        #expect(try Demo.output().contains("final"))
        let bench = try Workbench.demo()
        let again = try bench.succeed("demo")
        #expect(!again.contains("importing") && !again.contains("training a"))
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("a query is answered as the server answers it, from a file or standard input")
    func query() throws {
        let bench = try Workbench.demo()
        let request = Demo.question(3, ["id": "q", "include": ["all_scores"]])
        try bench.write("request.json", request.text)
        let served = try Demo.server().influence(request)
        for result in [
            try bench.run("query", "@request.json"), try bench.run(["query", "-"], stdin: request.text),
            try bench.run(["query", "--format", "json", "-"], stdin: request.text),
        ] {
            #expect(result.ending == .exited(0) && result.standardError.isEmpty)
            let answer = try JSON(parsing: result.standardOutput)
            #expect(answer["results"] == served["results"] && answer["id"] == "q")
            #expect(answer.objectValue?.keys == served.objectValue?.keys)
        }
    }

    @Test("a query as a table lists proponents and opponents")
    func table() throws {
        let request = Demo.question(3, ["k": 3])
        let result = try influenced("query", "--store", Demo.store(), "--format", "table", "-", stdin: request.text)
        #expect(result.ending == .exited(0))
        let lines = result.standardOutput.split(separator: "\n")
        for example in try Demo.server().influence(request).result.listed {
            let index = try example.integer("index")
            #expect(lines.contains { $0.split(separator: " ").first == "\(index)" })
        }
        #expect(result.standardOutput.contains("proponents") && result.standardOutput.contains("opponents"))
    }

    @Test(
        "a query that is wrong is refused with 2, and every reason",
        arguments: [
            ("{", ["JSON"]), ("", ["JSON"]), ("[]", ["object"]),
            (#"{"model": "digits", "tests": [], "kk": 3}"#, ["/tests", "/kk"]),
            (#"{"model": "digit", "tests": [{"dataset": "digits-test", "index": 3}]}"#, ["'digits'"]),
            (#"{"model": "digits", "tests": [{"dataset": "digits-test", "index": 400}]}"#, ["399"]),
            (
                #"{"model": "digits", "tests": [{"dataset": "digits-test", "index": 3}], "solver": {"name": "lissa", "scale": 0.01}}"#,
                ["diverged", "scale"]
            ),
        ])
    func wrongQuery(request: String, mentions: [String]) throws {
        let result = try influenced("query", "--store", Demo.store(), "-", stdin: request)
        #expect(result.ending == .exited(2))
        #expect(result.standardOutput.isEmpty)
        for words in mentions { #expect(result.standardError.contains(words), "\(result.standardError)") }
    }

    @Test("a query that takes too long is given up with 1")
    func queryDeadline() throws {
        let request = Demo.endlessQuestion.with("deadline_ms", 200)
        let result = try influenced("query", "--store", Demo.store(), "-", stdin: request.text)
        #expect(result.ending == .exited(1))
        #expect(result.standardError.contains("deadline"))
    }

    @Test("a request that can't be read is refused with 2 and its name")
    func missingRequest() throws {
        let result = try influenced("query", "--store", Demo.store(), "/nowhere/request.json")
        #expect(result.ending == .exited(2) && result.standardError.contains("/nowhere/request.json"))
    }

    @Test("a request without end is refused with 2 and how long it may be")
    func endlessRequest() throws {
        let request = String(repeating: " ", count: (16 << 20) + 1)
        let result = try influenced("query", "--store", Demo.store(), "-", stdin: request)
        #expect(result.ending == .exited(2) && result.standardError.contains("more than \(16 << 20) bytes"))
    }

    @Test("a query is answered while another process writes to the store, however long that takes")
    func queryBesideWriter() throws {
        let bench = try Workbench.prepared()
        let request: JSON = [
            "model": "good", "tests": [["dataset": "good", "index": 0]], "id": "c", "solver": ["name": "exact"],
        ]
        let descriptor = open(bench.store + "-lock", O_RDWR)
        try #require(descriptor >= 0 && flock(descriptor, LOCK_EX) == 0)
        defer { close(descriptor) }
        let result = try bench.run(["query", "-"], stdin: request.text)
        #expect(result.ending == .exited(0), "\(result.standardError)")
    }

    @Test("what a terminal would obey is shown, not obeyed, in messages about names and files")
    func controlCharacters() throws {
        let bench = try Workbench.prepared()
        for arguments in [
            ["cache", "--model", "a\u{1B}[31m"], ["query", "a\u{1B}[31m"],
            ["import", "dataset", "--name", "a\u{1B}[31m", "--inputs", "@x.npy", "--targets", "@y.npy"],
            ["import", "dataset", "--name", "b", "--inputs", "@a\u{1B}[31m", "--targets", "@y.npy"],
        ] {
            let result = try bench.run(arguments)
            #expect(result.ending == .exited(2))
            #expect(result.standardError.contains("a\\u{1b}[31m"), "\(result.standardError)")
        }
        let tensors = [("0.weight", [0, 0, 0, 0, 0, 0] as [Float], [3, 2]), ("0.bias", [0, 0, 0], [3]), ("a\u{9B}", [1], [1])]
        try bench.write("model.safetensors", ArrayFile.safetensors(tensors.map { (name: $0.0, values: $0.1, shape: $0.2) }))
        let said = try bench.succeed(
            "import", "model", "--name", "b", "--dataset", "good", "--spec", "@spec.json", "--parameters", "@model.safetensors")
        #expect(said.contains("does not name: a\\u{9b}\n"))
    }

    @Test("caches are built where there are none, once, and answers do not depend on them")
    func cache() throws {
        let bench = try Workbench.prepared()
        let request: JSON = [
            "model": "good", "tests": [["dataset": "good", "index": 0]], "id": "c", "solver": ["name": "exact"],
        ]
        func results() throws -> JSON? {
            try JSON(parsing: bench.run(["query", "-"], stdin: request.text).standardOutput)["results"]
        }
        func caches() throws -> [JSON] {
            try bench.serve().get("/models/good").json.list("caches")
        }
        let before = try #require(try results())
        #expect(try caches().isEmpty)
        try bench.succeed("cache", "--model", "good")
        #expect(try caches().map { $0["kind"] } == ["factored"])
        #expect(try results() == before)
        try bench.succeed("cache", "--model", "good", "--all-checkpoints", "--kind", "factored")
        #expect(try caches().count == 1)
        try bench.refuse(["cache", "--model", "god"], ["god", "good"])
        try bench.refuse(["cache", "--model", "good", "--checkpoint", "frist"], ["frist", "final"])
        #expect(try bench.succeed("check").contains("whole"))
    }
}
