internal import Configuration
internal import Foundation
internal import JSON
internal import Logging
internal import SystemPackage

/// A setting that can't be used: which, and why.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, and what to change.
    public let description: String
}

extension ServiceConfiguration {
    /// One setting: its key, where it is kept, and what it may be.
    struct Setting: @unchecked Sendable {
        // `@unchecked`: key paths to a value type's stored properties hold no state.
        let key: String
        let property: WritableKeyPath<ServiceConfiguration, Int>
        let range: ClosedRange<Int>
    }

    /// One setting that is a text.
    struct TextSetting: @unchecked Sendable {
        // `@unchecked`: as above.
        let key: String
        let property: WritableKeyPath<ServiceConfiguration, String>
    }

    static let numbers: [Setting] = [
        Setting(key: "server.port", property: \.port, range: 0...65_535),
        Setting(key: "server.maximum_body_bytes", property: \.maximumBodyBytes, range: 1_024...(1 << 30)),
        Setting(key: "server.maximum_buffered_bytes", property: \.maximumBufferedBytes, range: 65_536...(1 << 40)),
        Setting(key: "server.maximum_connections", property: \.maximumConnections, range: 1...1_000_000),
        Setting(key: "server.header_timeout_ms", property: \.headerTimeoutMilliseconds, range: 1...3_600_000),
        Setting(key: "server.body_timeout_ms", property: \.bodyTimeoutMilliseconds, range: 1...3_600_000),
        Setting(key: "server.idle_timeout_ms", property: \.idleTimeoutMilliseconds, range: 1...3_600_000),
        Setting(key: "server.drain_delay_ms", property: \.drainDelayMilliseconds, range: 0...3_600_000),
        Setting(key: "server.drain_timeout_ms", property: \.drainTimeoutMilliseconds, range: 0...3_600_000),
        Setting(key: "compute.threads", property: \.threads, range: 0...1_024),
        Setting(key: "compute.jobs", property: \.jobs, range: 1...1_024),
        Setting(key: "compute.queue_length", property: \.queueLength, range: 1...1_000_000),
        Setting(key: "compute.deadline_ms", property: \.deadlineMilliseconds, range: 1...86_400_000),
        Setting(key: "compute.maximum_deadline_ms", property: \.maximumDeadlineMilliseconds, range: 1...86_400_000),
        Setting(key: "compute.memory_bytes", property: \.memoryBytes, range: (1 << 20)...(1 << 50)),
        Setting(key: "compute.s_test_cache_bytes", property: \.solutionCacheBytes, range: 0...(1 << 50)),
        Setting(key: "limits.max_requests_per_client", property: \.maximumRequestsPerClient, range: 0...1_000_000),
        Setting(key: "limits.max_tests", property: \.maximumTests, range: 1...10_000),
        Setting(key: "limits.max_k", property: \.maximumK, range: 1...1_000_000),
        Setting(key: "limits.max_groups", property: \.maximumGroups, range: 1...100_000),
        Setting(key: "limits.max_slices", property: \.maximumSlices, range: 1...1_000),
        Setting(key: "limits.max_slice_tests", property: \.maximumSliceTests, range: 1...1_000_000),
    ]

    /// Settings that are texts, which may be empty.
    private static let texts = [
        TextSetting(key: "server.host", property: \.host), TextSetting(key: "server.unix_socket", property: \.unixSocket),
        TextSetting(key: "auth.api_keys_file", property: \.apiKeysFile), TextSetting(key: "auth.api_keys", property: \.apiKeys),
        TextSetting(key: "cors.allowed_origins", property: \.allowedOrigins),
    ]

    /// Settings that are one of a few words.
    private static let choices = [
        "log.level": Logger.Level.allCases.map(\.rawValue), "log.format": LogFormat.allCases.map(\.rawValue),
    ]

    /// What a file may set: everything but secrets, which do not belong where settings are kept and shown.
    static let fileKeys = numbers.map(\.key) + texts.map(\.key).filter { $0 != "auth.api_keys" } + choices.keys.sorted()

    /// Reads the configuration: flags first, then the environment (`INFLUENCED_SERVER_PORT` for `server.port`), then the file, then
    /// the defaults.
    ///
    /// - Parameters:
    ///   - flags: values given on the command line, by key.
    ///   - environment: the process's environment.
    ///   - file: a JSON file; nil for none.
    /// - Throws: `ConfigurationError` for a file that is no JSON object of known keys, and for values out of range.
    public static func read(
        flags: [String: String] = [:], environment: [String: String], file: String?
    ) async throws -> ServiceConfiguration {
        let defaults = ServiceConfiguration()
        var providers: [any ConfigProvider] = [
            InMemoryProvider(name: "flags", values: values(flags)),
            EnvironmentVariablesProvider(
                environmentVariables: environment, secretsSpecifier: .specific(["INFLUENCED_AUTH_API_KEYS"])
            ).prefixKeys(with: ["influenced"]),
        ]
        if let file {
            try check(file: file)
            providers.append(try await FileProvider<JSONSnapshot>(filePath: FilePath(file)))
        }
        var fallback = ["log.level": defaults.logLevel.rawValue, "log.format": defaults.logFormat.rawValue]
        for text in texts { fallback[text.key] = defaults[keyPath: text.property] }
        for number in numbers { fallback[number.key] = String(defaults[keyPath: number.property]) }
        providers.append(InMemoryProvider(name: "defaults", values: values(fallback)))

        let reader = ConfigReader(providers: providers)
        var configuration = defaults
        for number in numbers {
            guard let value = try? reader.requiredInt(forKey: ConfigKey(number.key)), number.range.contains(value) else {
                let got = (try? reader.requiredString(forKey: ConfigKey(number.key))).map { "; got \"\($0)\"" } ?? ""
                throw ConfigurationError(
                    description: "setting \(number.key) must be an integer from \(number.range.lowerBound) to "
                        + "\(number.range.upperBound)\(got)")
            }
            configuration[keyPath: number.property] = value
        }
        for text in texts {
            guard let value = try? reader.requiredString(forKey: ConfigKey(text.key)) else {
                throw ConfigurationError(description: "setting \(text.key) must be a text")
            }
            configuration[keyPath: text.property] = value
        }
        guard !configuration.host.isEmpty || !configuration.unixSocket.isEmpty else {
            throw ConfigurationError(description: "settings server.host and server.unix_socket are both empty; set one")
        }
        guard configuration.apiKeysFile.isEmpty || configuration.apiKeys.isEmpty else {
            throw ConfigurationError(description: "settings auth.api_keys_file and auth.api_keys are both set; keep one")
        }
        configuration.logLevel = try choice("log.level", reader) { Logger.Level(rawValue: $0) }
        configuration.logFormat = try choice("log.format", reader) { LogFormat(rawValue: $0) }
        return configuration
    }

    private static func choice<Value>(_ key: String, _ reader: ConfigReader, _ parse: (String) -> Value?) throws -> Value {
        guard let value = (try? reader.requiredString(forKey: ConfigKey(key))).flatMap(parse) else {
            throw ConfigurationError(
                description: "setting \(key) must be one of \((choices[key] ?? []).joined(separator: ", "))")
        }
        return value
    }

    private static func values(_ texts: [String: String]) -> [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, text) in texts {
            let isNumber = numbers.contains { $0.key == key }
            let content: ConfigContent = isNumber ? Int(text).map { .int($0) } ?? .string(text) : .string(text)
            values[AbsoluteConfigKey(key.split(separator: ".").map(String.init))] = ConfigValue(content, isSecret: false)
        }
        return values
    }

    /// Looks through a file before its values are read one by one: a misspelt key would be passed over in silence, and `true` be
    /// taken for 1.
    private static func check(file: String) throws {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ConfigurationError(description: "the configuration file \(file) can't be read")
        }
        do {
            let reader = JSONReader(try JSON(parsing: [UInt8](data)))
            let keys = fileKeys.map { $0.split(separator: ".").map(String.init) }
            let known = Dictionary(grouping: keys, by: { $0[0] }).mapValues { $0.map { $0[1] }.sorted() }
            let object = reader.object(allowing: known.keys.sorted())
            for (section, names) in known.sorted(by: { $0.key < $1.key }) {
                let members = object?.optionalObject(section, allowing: names)
                for name in names where members?.has(name) == true {
                    let number = numbers.first { $0.key == "\(section).\(name)" }
                    let isRight =
                        number.map { members?.optionalInteger(name, in: $0.range) != nil }
                        ?? (members?.optionalString(name) != nil)
                    guard !isRight else { continue }
                    let wanted = number.map { "an integer from \($0.range.lowerBound) to \($0.range.upperBound)" } ?? "a text"
                    throw ConfigurationError(description: "setting \(section).\(name) in \(file) must be \(wanted)")
                }
            }
            try reader.issues.check()
        } catch let error as JSONSyntaxError {
            throw ConfigurationError(description: "the configuration file \(file): \(error)")
        } catch let error as JSONIssues {
            throw ConfigurationError(description: "the configuration file \(file): \(error)")
        }
    }
}
