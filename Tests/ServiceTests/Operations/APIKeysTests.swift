import Foundation
import HTTPTypes
import Testing

@testable import Service

@Suite("API keys")
struct APIKeysTests {
    private static let first = "first-key-0123456789"
    private static let second = "c2Vjb25kIGtleSwgd2l0aCBwYWRkaW5n=="

    private func failure(_ text: String, from source: APIKeys.Source = .file) -> String {
        do throws(APIKeysError) {
            return "no error: \(try APIKeys(text, from: source).names)"
        } catch {
            return error.description
        }
    }

    @Test("a file has one key a line, with names, comments and blank lines as one likes")
    func file() throws {
        let text = """
            # keys of the staging cluster
            ci:\(Self.first)
              \t
              laptop :  \(Self.second)   # until March
            another-key-0123456789\r\nlast_one.2:0123456789abcdef
            """
        let keys = try APIKeys(text, from: .file)
        #expect(keys.names == ["ci", "laptop", "key-5", "last_one.2"])
        #expect(keys.match(authorization: "Bearer \(Self.first)") == "ci")
        #expect(keys.match(authorization: "Bearer \(Self.second)") == "laptop")
        #expect(keys.match(authorization: "Bearer another-key-0123456789") == "key-5")
        #expect(keys.match(authorization: "Bearer 0123456789abcdef") == "last_one.2")
    }

    @Test("an environment variable has keys between commas, or on lines")
    func environment() throws {
        let keys = try APIKeys("ci:\(Self.first), \(Self.second),\nx:0123456789abcdef", from: .environment)
        #expect(keys.names == ["ci", "key-2", "x"])
        #expect(keys.match(authorization: "Bearer \(Self.second)") == "key-2")
    }

    @Test(
        "what is wrong is told with its place, and without the key",
        arguments: [
            ("short", "line 1: the key has 5 characters; it must have at least 16"),
            ("\n#\nci:tooshort1234567", "line 3: the key has 15 characters; it must have at least 16"),
            ("ci:", "line 1: the key has 0 characters; it must have at least 16"),
            ("has a space in it all right", "line 1: the key has a character that a bearer token cannot have"),
            ("has,a,comma,in,it,all", "line 1: the key has a character that a bearer token cannot have"),
            ("hash#inside-0123456789", "line 1: the key has a character that a bearer token cannot have"),
            ("umlaut-äöü-0123456789", "line 1: the key has a character that a bearer token cannot have"),
            ("equals=inside-0123456789", "line 1: the key has a character that a bearer token cannot have"),
            ("================", "line 1: the key has a character that a bearer token cannot have"),
            ("a b:0123456789abcdef", "line 1: the name before the colon must be 1 to 64 characters"),
            (":0123456789abcdef", "line 1: the name before the colon must be 1 to 64 characters"),
            ("a:b:0123456789abcdef", "line 1: the key has a character that a bearer token cannot have"),
            ("a:0123456789abcdef\n\na:fedcba9876543210", "line 3: the name is that of line 1 already"),
            ("key-2:0123456789abcdef\nfedcba9876543210", "line 2: the name is that of line 1 already"),
            ("a:0123456789abcdef\nb:0123456789abcdef", "line 2: the key is that of line 1 again"),
            ("", "API keys: there is none"), ("# nothing\n\n", "API keys: there is none"),
        ])
    func errors(text: String, message: String) {
        let told = failure(text)
        #expect(told.contains(message))
        for piece in text.split(whereSeparator: { ":\n".contains($0) }) where piece.count >= 15 {
            #expect(!told.contains(piece), "the message has the key in it")
        }
    }

    @Test("errors in a variable say which entry")
    func entries() {
        #expect(failure("\(Self.first),short", from: .environment).contains("entry 2: the key has 5 characters"))
        #expect(failure(" , ", from: .environment).contains("there is none"))
    }

    @Test("nothing that can be printed has the key in it")
    func printing() throws {
        let keys = try APIKeys("ci:\(Self.first)", from: .file)
        var dumped = ""
        dump(keys, to: &dumped)
        #expect(!"\(keys)".contains(Self.first) && !dumped.contains(Self.first))
    }

    @Test(
        "the scheme is case-insensitive, and one or more spaces follow it",
        arguments: ["Bearer ", "bearer ", "BEARER ", "bEaReR   "])
    func schemes(prefix: String) throws {
        let keys = try APIKeys("ci:\(Self.first)", from: .file)
        #expect(keys.match(authorization: prefix + Self.first) == "ci")
    }

    @Test(
        "anything but a key in the right form matches nothing",
        arguments: [
            "", "Bearer", "Bearer ", "K", "Basic K", "BearerK", "Bearer\tK", "Bearer K K", "Bearer K,", "Bearer  K ", "Bearer K=",
            "Bearer \"K\"", " Bearer K", "Bearer xK", "Bearer =K", "Bearer k", "Bearer: K", "Bearer Kä",
        ])
    func mismatches(value: String) throws {
        let keys = try APIKeys("ci:\(Self.first)", from: .file)
        #expect(keys.match(authorization: value.replacing("K", with: Self.first)) == nil)
    }

    @Test("the challenge says that a key is wanted, and that one is wrong where one was given")
    func challenges() throws {
        let keys = try APIKeys("ci:\(Self.first)", from: .file)
        #expect(keys.check([:]) == .missing)
        #expect(keys.check([.authorization: "Basic dXNlcjpwYXNz"]) == .missing)
        #expect(keys.check([.authorization: "Bearer \(Self.second)"]) == .invalid)
        #expect(keys.check([.authorization: "Bearer"]) == .invalid)
        #expect(keys.check([.authorization: "Bearer \(Self.first)"]) == .granted(name: "ci"))
        #expect(APIKeys.Verdict.missing.challenge == #"Bearer realm="influenced""#)
        #expect(APIKeys.Verdict.invalid.challenge == #"Bearer realm="influenced", error="invalid_token""#)
        #expect(APIKeys.Verdict.granted(name: "ci").challenge == nil)
    }

    @Test("two Authorization fields are refused, even with the same key")
    func twoFields() throws {
        let keys = try APIKeys("ci:\(Self.first)", from: .file)
        var fields: HTTPFields = [.authorization: "Bearer \(Self.first)"]
        fields.append(HTTPField(name: .authorization, value: "Bearer \(Self.first)"))
        #expect(keys.check(fields) == .invalid)
    }
}

@Suite("Files of API keys")
struct APIKeysFileTests {
    private func withFile(_ contents: [UInt8], mode: Int, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)").path
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data(contents), attributes: [.posixPermissions: mode])
        #expect(isMade)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private let contents = Array("ci:0123456789abcdef\n".utf8)

    @Test("a file of its owner's alone is read without a warning")
    func owned() throws {
        try withFile(contents, mode: 0o640) { path in
            let (keys, warning) = try APIKeys.read(file: path)
            #expect(keys.names == ["ci"] && warning == nil)
        }
    }

    @Test("a file that others may read or write is read with a warning", arguments: [0o644, 0o660, 0o620, 0o601])
    func open(mode: Int) throws {
        try withFile(contents, mode: mode) { path in
            let (keys, warning) = try APIKeys.read(file: path)
            #expect(keys.names == ["ci"])
            let text = try #require(warning)
            #expect(text.contains(path) && text.contains(String(mode, radix: 8)) && !text.contains("0123456789abcdef"))
        }
    }

    @Test("a file that is not there, a folder, binary and large ones are refused by name")
    func unreadable() throws {
        func failure(_ path: String) -> String {
            do throws(APIKeysError) {
                return "no error: \(try APIKeys.read(file: path).keys.names)"
            } catch {
                return error.description
            }
        }
        #expect(failure("/no/such/file").contains("/no/such/file cannot be opened: No such file"))
        #expect(failure("/tmp").contains("/tmp cannot be read: Is a directory"))
        try withFile([0xFF, 0xFE, 0x00], mode: 0o600) { #expect(failure($0).hasSuffix("\($0) is not UTF-8")) }
        let large = [UInt8](repeating: UInt8(ascii: "a"), count: APIKeys.maximumFileSize + 1)
        try withFile(large, mode: 0o600) { #expect(failure($0).contains("has more than 1048576 bytes")) }
        try withFile(Array("\nshort".utf8), mode: 0o600) { #expect(failure($0).contains("line 2: the key has 5")) }
    }
}
