import Foundation
import JSON
import TestSupport
import Testing

/// Who may come in.
@Suite("API keys")
struct AccessKeyTests {
    private static let (first, second) = ("first-key-0123456789", "second-key-987654321")
    private static let closed = ["/metrics", "/openapi.json", "/info", "/models", "/models/digits", "/nothing", "/health", "/"]

    private static func bearer(_ key: String) -> [String: String] { ["Authorization": "Bearer \(key)"] }

    /// What every server with the two keys does, wherever it has them from.
    private func check(_ server: InfluencedServer, names: [String]) throws {
        for path in ["/health/live", "/health/ready"] { #expect(try server.get(path).status == 200) }
        for path in Self.closed {
            let answer = try server.get(path)
            try answer.expectProblem(401, "unauthorized", instance: path)
            #expect(answer.fields["www-authenticate"] == #"Bearer realm="influenced""#)
        }
        let question = Data(Demo.question().serialized())
        for path in ["/influence", "/predict"] {
            try server.exchange("POST", path, InfluencedServer.jsonFields, body: question).expectProblem(401, "unauthorized")
        }
        let guesses = [
            "wrong-key-000000000", Self.first + "x", String(Self.first.dropLast()), "\(Self.first),\(Self.second)", "é",
        ]
        for guess in guesses {
            let answer = try server.exchange("GET", "/models", Self.bearer(guess))
            try answer.expectProblem(401, "unauthorized")
            #expect(answer.fields["www-authenticate"] == #"Bearer realm="influenced", error="invalid_token""#)
        }
        let basic = try server.exchange("GET", "/models", ["Authorization": "Basic dXNlcjpwYXNz"])
        #expect(basic.status == 401 && basic.fields["www-authenticate"]?.contains("error") == false)
        for key in [Self.first, Self.second] {
            for path in ["/metrics", "/openapi.json", "/info", "/models"] {
                #expect(try server.exchange("GET", path, Self.bearer(key)).status == 200)
            }
            #expect(try server.exchange("GET", "/nothing", Self.bearer(key)).status == 404)
            let fields = Self.bearer(key).merging(InfluencedServer.jsonFields) { $1 }
            #expect(try server.exchange("POST", "/influence", fields, body: question).status == 200)
        }
        #expect(try server.exchange("GET", "/models", ["Authorization": "bearer \(Self.first)"]).status == 200)
        let rejected = try server.metrics(Self.bearer(Self.first)).rejected("unauthorized")
        #expect(rejected == Self.closed.count + 2 + guesses.count + 1)
        #expect(server.process.stop() == .exited(0))
        let log = server.process.standardError
        for key in [Self.first, Self.second] { #expect(!log.contains(key)) }
        let named = Set(try server.accessRecords().compactMap { $0["key"]?.stringValue })
        #expect(named == Set(names))
    }

    @Test("keys of the environment: health is open, all else is closed to who has none; each is valid, and none is ever shown")
    func environment() throws {
        let environment = ["INFLUENCED_AUTH_API_KEYS": "\(Self.first), ours:\(Self.second)", "INFLUENCED_LOG_FORMAT": "json"]
        try check(InfluencedServer(store: Demo.store(), environment: environment), names: ["key-1", "ours"])
    }

    @Test("keys of a file do the same")
    func file() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path("keys")
        try Data("# who may ask\n\nweb: \(Self.first)\n\(Self.second)  # the other\n".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let config = folder.path("c.json")
        try Data(#"{"auth": {"api_keys_file": "\#(path)"}, "log": {"format": "json"}}"#.utf8).write(
            to: URL(fileURLWithPath: config))
        let server = try InfluencedServer(store: Demo.store(), in: folder, ["--config", config])
        try check(server, names: ["web", "key-4"])
        #expect(!server.process.standardError.contains("chmod"))
    }

    @Test("a file of keys that everybody can read is taken, and told of")
    func openFile() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path("keys")
        try Data(Self.first.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let server = try InfluencedServer(store: Demo.store(), in: folder, environment: ["INFLUENCED_AUTH_API_KEYS_FILE": path])
        #expect(try server.get("/models").status == 401)
        #expect(try server.exchange("GET", "/models", Self.bearer(Self.first)).status == 200)
        #expect(server.process.stop() == .exited(0))
        #expect(server.process.standardError.contains("chmod") && !server.process.standardError.contains(Self.first))
    }

    /// A refusal of a start: exit code 2, words that name what is wrong, and no key among them.
    private func refuse(_ result: CommandResult, _ mentions: String..., location: SourceLocation = #_sourceLocation) {
        #expect(result.ending == .exited(2), sourceLocation: location)
        for words in mentions {
            #expect(result.standardError.contains(words), "\(result.standardError)", sourceLocation: location)
        }
        #expect(
            !result.standardError.contains(Self.first) && !result.standardError.contains(Self.second), sourceLocation: location)
        #expect(result.standardOutput.isEmpty, sourceLocation: location)
    }

    @Test(
        "a bad file of keys stops the start with 2 and the number of the line, without the key",
        arguments: [
            ("good:\(first)\n\nshort\n", "line 3"), ("\(first)\nno spaces:\(second)\n", "line 2"),
            ("\(first)\n\(second)!\n", "line 2"), ("a:\(first)\na:\(second)\n", "line 2"),
            ("a:\(first)\nb:\(second)\n# again\nc:\(first)\n", "line 4"), ("# nothing\n\n", "none"), ("", "none"),
        ])
    func badFile(text: String, mention: String) throws {
        let folder = try TemporaryDirectory()
        try Data(text.utf8).write(to: folder.url.appendingPathComponent("keys"))
        let environment = ["INFLUENCED_AUTH_API_KEYS_FILE": folder.path("keys")]
        refuse(
            try influenced("serve", "--store", Demo.store(), "--port", "0", environment: environment), "auth.api_keys_file",
            mention)
    }

    @Test("a file of keys that is not there, or is a folder, stops the start with 2 and its name")
    func missingFile() throws {
        let folder = try TemporaryDirectory()
        for path in [folder.path("missing"), folder.url.path] {
            let environment = ["INFLUENCED_AUTH_API_KEYS_FILE": path]
            refuse(try influenced("serve", "--store", Demo.store(), "--port", "0", environment: environment), path)
        }
    }

    @Test("a configuration file may not hold keys, and keys may not come from two places")
    func places() throws {
        let folder = try TemporaryDirectory()
        let config = folder.path("c.json")
        try Data(#"{"auth": {"api_keys": "\#(Self.first)"}}"#.utf8).write(to: URL(fileURLWithPath: config))
        refuse(try influenced("serve", "--store", Demo.store(), "--port", "0", "--config", config), "api_keys")
        try Data(Self.second.utf8).write(to: folder.url.appendingPathComponent("keys"))
        let both = ["INFLUENCED_AUTH_API_KEYS": Self.first, "INFLUENCED_AUTH_API_KEYS_FILE": folder.path("keys")]
        refuse(
            try influenced("serve", "--store", Demo.store(), "--port", "0", environment: both), "auth.api_keys_file",
            "both set")
        let bad = ["INFLUENCED_AUTH_API_KEYS": "\(Self.first),\(Self.second)?"]
        refuse(try influenced("serve", "--store", Demo.store(), "--port", "0", environment: bad), "auth.api_keys:", "entry 2")
    }
}
