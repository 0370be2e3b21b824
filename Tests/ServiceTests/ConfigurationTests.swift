import Foundation
import JSON
import Logging
import TestSupport
import Testing

@testable import Service

@Suite("Configuration")
struct ConfigurationTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func read(
        flags: [String: String] = [:], _ environment: [String: String] = [:], file: String? = nil
    ) async throws -> ServiceConfiguration {
        var path: String?
        if let file {
            path = folder.path("config.json")
            try Data(file.utf8).write(to: folder.url.appendingPathComponent("config.json"))
        }
        return try await ServiceConfiguration.read(flags: flags, environment: environment, file: path)
    }

    private func refusal(
        flags: [String: String] = [:], _ environment: [String: String] = [:], file: String? = nil
    ) async -> String {
        do {
            _ = try await read(flags: flags, environment, file: file)
            return "no refusal"
        } catch let error as ConfigurationError {
            return error.description
        } catch {
            return "another error: \(error)"
        }
    }

    @Test("without anything set, everything has its default")
    func defaults() async throws { #expect(try await read() == ServiceConfiguration()) }

    @Test("the file that ships with the package says the defaults, all of them")
    func defaultFile() async throws {
        let root = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let file = root.appendingPathComponent("Config/default.json")
        #expect(try await ServiceConfiguration.read(environment: [:], file: file.path) == ServiceConfiguration())
        let json = try JSON(parsing: [UInt8](Data(contentsOf: file)))
        for key in ServiceConfiguration.fileKeys {
            let value = key.split(separator: ".").reduce(Optional(json)) { $0?[String($1)] }
            #expect(value != nil, "\(key) is not in it")
        }
    }

    @Test(
        "every number is read from every place, and refused beyond its range", arguments: ServiceConfiguration.numbers.map(\.key))
    func numbers(key: String) async throws {
        let setting = try #require(ServiceConfiguration.numbers.first { $0.key == key })
        let defaultValue = ServiceConfiguration()[keyPath: setting.property]
        #expect(setting.range.contains(defaultValue))
        let value = defaultValue == setting.range.lowerBound ? defaultValue + 1 : setting.range.lowerBound
        let variable = "INFLUENCED_" + key.uppercased().replacing(".", with: "_")
        let parts = key.split(separator: ".")
        let file = #"{"\#(parts[0])": {"\#(parts[1])": \#(value)}}"#
        #expect(try await read(flags: [key: "\(value)"])[keyPath: setting.property] == value)
        #expect(try await read([variable: "\(value)"])[keyPath: setting.property] == value)
        #expect(try await read(file: file)[keyPath: setting.property] == value)
        for wrong in [setting.range.lowerBound - 1, setting.range.upperBound + 1] {
            let refusal = await refusal([variable: "\(wrong)"])
            #expect(refusal.contains(key) && refusal.contains("\(setting.range.upperBound)"), "\(refusal)")
        }
        #expect(await refusal([variable: "many"]).contains("many"))
    }

    @Test("texts are read from every place")
    func texts() async throws {
        #expect(try await read(flags: ["server.host": "::1"]).host == "::1")
        #expect(try await read(["INFLUENCED_SERVER_HOST": "0.0.0.0"]).host == "0.0.0.0")
        #expect(try await read(file: #"{"server": {"host": "h"}, "log": {"level": "debug"}}"#).host == "h")
        #expect(try await read(["INFLUENCED_LOG_LEVEL": "error"]).logLevel == .error)
        #expect(await refusal(["INFLUENCED_LOG_LEVEL": "loud"]).contains("trace, debug, info"))
        #expect(await refusal(["INFLUENCED_SERVER_HOST": ""]).contains("server.host"))
    }

    @Test("a host that looks like a number is still a text")
    func numericHost() async throws { #expect(try await read(flags: ["server.host": "0"]).host == "0") }

    @Test("flags go before the environment, the environment before the file")
    func precedence() async throws {
        let file = #"{"server": {"port": 1}, "compute": {"threads": 1, "jobs": 1}}"#
        let environment = ["INFLUENCED_SERVER_PORT": "2", "INFLUENCED_COMPUTE_THREADS": "2"]
        let configuration = try await read(flags: ["server.port": "3"], environment, file: file)
        #expect(configuration.port == 3 && configuration.threads == 2 && configuration.jobs == 1)
    }

    @Test("other programs' variables mean nothing")
    func otherVariables() async throws {
        #expect(try await read(["SERVER_PORT": "1", "INFLUENCEDSERVER_PORT": "2", "PATH": "/"]) == ServiceConfiguration())
    }

    @Test(
        "files that can't be used are refused with their name and the reason",
        arguments: [
            ("", "empty"), ("[]", "object"), ("{\"server\": {},}", "line 1"), (#"{"servers": {}}"#, "did you mean \"server\""),
            (#"{"server": {"hots": "h"}}"#, "did you mean \"host\""), (#"{"server": 5}"#, "/server"),
        ])
    func badFiles(text: String, reason: String) async {
        let refusal = await refusal(file: text)
        #expect(refusal.contains("config.json") && refusal.contains(reason), "\(refusal)")
    }

    @Test("a value of the wrong kind in a file is refused by its key", arguments: [#""8080""#, "1.5", "true", "[1]", "1e30"])
    func wrongKinds(value: String) async {
        let refusal = await refusal(file: #"{"server": {"port": \#(value)}}"#)
        #expect(refusal.contains("server.port"), "\(refusal)")
    }

    @Test("null in a file counts as left out")
    func nulls() async throws {
        #expect(try await read(file: #"{"server": null, "log": {"level": null}}"#) == ServiceConfiguration())
    }

    @Test("a file that is not there is refused by its name")
    func missingFile() async {
        await #expect { _ = try await ServiceConfiguration.read(environment: [:], file: "/nowhere/c.json") } throws: {
            "\($0)".contains("/nowhere/c.json")
        }
    }
}
