internal import Logging
internal import Sockets

extension ServiceConfiguration {
    /// The parts of a list, without the space around them.
    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingPrefix { $0 == " " } }
            .map { String($0.reversed().trimmingPrefix { $0 == " " }.reversed()) }.filter { !$0.isEmpty }
    }

    /// The API keys that are set; nil where none are, and everybody may ask.
    /// - Throws: `ConfigurationError` where they can't be read.
    func readKeys(_ logger: Logger) throws -> APIKeys? {
        do throws(APIKeysError) {
            if !apiKeys.isEmpty { return try APIKeys(apiKeys, from: .environment) }
            guard !apiKeysFile.isEmpty else { return nil }
            let (keys, warning) = try APIKeys.read(file: apiKeysFile)
            if let warning { logger.warning("\(warning)") }
            return keys
        } catch {
            throw ConfigurationError(
                description: "setting \(apiKeys.isEmpty ? "auth.api_keys_file" : "auth.api_keys"): \(error)")
        }
    }

    /// Who may read answers from a web page.
    /// - Throws: `ConfigurationError` where one is not an origin.
    var corsPolicy: CORSPolicy {
        get throws {
            do throws(CORSPolicyError) { return try CORSPolicy(origins: Self.list(allowedOrigins)) } catch {
                throw ConfigurationError(description: "setting cors.allowed_origins: \(error)")
            }
        }
    }
}

extension SocketAddress {
    /// Whether only this machine reaches it.
    var isLocal: Bool {
        switch self {
        case .ipv4(let octets, _): octets.value >> 24 == 127
        case .ipv6(let octets, _, _): octets == .loopback
        case .unix: true
        }
    }
}
