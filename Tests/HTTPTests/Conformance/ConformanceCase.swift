import Testing

/// What a client sends on a connection, and what must come back: a line of the tables that the conformance tests run.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    /// A final answer, as far as the case is about it.
    struct Answer: Sendable {
        var status: Int
        /// Fields that it must have, by their lower-case names.
        var fields: [String: String] = [:]
        /// Its content; nil where that does not matter.
        var body: String?
        /// False for the answer to HEAD, which has the length of a content that does not come.
        var hasContent = true
    }

    /// What becomes of the connection.
    enum Ending: Sendable {
        /// It takes the next request.
        case open
        /// It closes, and the last answer has said so.
        case closed
        /// It closes because what the last answer left open cannot be gone on with: the rest of a request that was refused
        /// by its head turns out to be malformed.
        case dropped
    }

    /// What is special about the input.
    let name: String
    /// What asks for the answers.
    let section: String
    /// What the client sends, before it asks for one more thing.
    let input: [UInt8]
    /// The final answers in their order.
    let answers: [Answer]
    /// What becomes of the connection.
    let ending: Ending
    /// Whether an interim 100 may come, which depends on how much of the body comes together with the head (RFC 9110
    /// §10.1.1). Without this none may.
    var mayContinue = false

    var testDescription: String { "\(name) (\(section))" }
}

extension ConformanceCase {
    /// Input that is refused with `status`, after which the connection closes.
    static func refused(_ name: String, _ section: String, _ input: String, _ status: Int = 400) -> ConformanceCase {
        answered(name, section, input, [Answer(status: status)], .closed)
    }

    /// Requests that are all handled: the answers are 200 with these bodies, and the connection goes on.
    static func served(_ name: String, _ section: String, _ input: String, _ bodies: String...) -> ConformanceCase {
        answered(name, section, input, bodies.map { Answer(status: 200, body: $0) })
    }

    /// Input with answers of any kind.
    static func answered(
        _ name: String, _ section: String, _ input: String, _ answers: [Answer], _ ending: Ending = .open,
        mayContinue: Bool = false
    ) -> ConformanceCase {
        ConformanceCase(
            name: name, section: section, input: octets(input), answers: answers, ending: ending, mayContinue: mayContinue)
    }

    /// One octet for each scalar of `text`, so that a string can say any octet: "\u{FF}" is 0xFF, not its UTF-8.
    static func octets(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

    /// A field's value or a line for the name of a case.
    static func shown(_ text: String) -> String {
        let shown = text.unicodeScalars.count > 120 ? "\(text.prefix(20))… (\(text.unicodeScalars.count) octets)" : text
        return shown.debugDescription
    }

    /// A POST of `body` to /echo, with the fields that are to frame it.
    static func post(_ framing: String, body: String = "", version: String = "1.1") -> String {
        request("POST /echo HTTP/\(version)", framing, body: body)
    }

    /// The cases of all tables.
    static let all =
        requestLines + targets + methods + hosts + fields + sizes + contentLengths + transferCodings + chunks + trailers
        + persistence + expectations + smuggling
}
