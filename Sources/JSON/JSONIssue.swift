/// What is wrong with one place of a JSON value that is well-formed but does not mean what it should.
public struct JSONIssue: Error, Equatable, Sendable, CustomStringConvertible {
    /// The place (RFC 6901); "" for the whole value.
    public let pointer: String
    /// What it should be, and what it is: "must be an integer from 1 to 1000; got \"five\"".
    public let detail: String

    /// An issue at `pointer`.
    public init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }

    /// "POINTER: DETAIL", or the detail alone if it is about the whole.
    public var description: String { pointer.isEmpty ? detail : "\(pointer): \(detail)" }
}

/// All that was found wrong with a JSON value.
public struct JSONIssues: Error, Equatable, Sendable, CustomStringConvertible {
    /// The issues in the order found, at most ``JSONIssueCollector/limit``; at least one where this is thrown.
    public let issues: [JSONIssue]
    /// How many more there were.
    public let omitted: Int

    /// One issue a line.
    public var description: String { parts.joined(separator: "\n") }

    /// All on one line.
    public var line: String { parts.joined(separator: "; ") }

    private var parts: [String] { issues.map(\.description) + (omitted > 0 ? ["and \(omitted) more"] : []) }
}

/// The list that a reader and all readers made from it report to.
public final class JSONIssueCollector {
    /// The most issues kept, so that the answer to a huge and wholly wrong request stays readable.
    public static let limit = 50

    /// The issues so far, in the order found.
    public private(set) var issues: [JSONIssue] = []
    /// How many were found beyond the limit.
    public private(set) var omitted = 0

    /// A collector without issues.
    public init() {}

    /// Whether nothing was found wrong.
    public var isEmpty: Bool { issues.isEmpty }

    /// Adds an issue.
    public func report(_ pointer: JSONPointer, _ detail: String) {
        if issues.count < Self.limit {
            issues.append(JSONIssue(pointer: pointer.description, detail: detail))
        } else {
            omitted += 1
        }
    }

    /// - Throws: all issues, if there are any.
    public func check() throws(JSONIssues) {
        guard isEmpty else { throw JSONIssues(issues: issues, omitted: omitted) }
    }
}
