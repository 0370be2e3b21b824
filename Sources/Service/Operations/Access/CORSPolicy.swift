internal import HTTP
internal import HTTPTypes

/// Which web pages of other origins may read our answers (the Fetch standard, section 3.2: the CORS protocol).
///
/// A browser asks for its user, and enforces what it is told; other clients are not concerned. Credentials of the browser's own
/// (cookies, certificates) are never allowed: a page sends an API key by itself.
struct CORSPolicy: Equatable, Sendable {
    private enum Rule: Equatable, Sendable {
        case none
        case all
        case listed(Set<String>)
    }

    private let rule: Rule

    /// A policy that allows the given origins, such as "https://a.example"; `*` alone allows all, an empty list none.
    ///
    /// - Throws: Where one is not an origin as a browser would write it.
    init(origins: [String]) throws(CORSPolicyError) {
        if origins.isEmpty {
            rule = .none
        } else if origins.contains("*") {
            guard origins.count == 1 else { throw CORSPolicyError(origin: "*", detail: "it allows all origins; name no others") }
            rule = .all
        } else {
            var listed: Set<String> = []
            for origin in origins { listed.insert(try WebOrigin(origin).text) }
            rule = .listed(listed)
        }
    }

    /// Adds to the answer to a request what lets pages of allowed origins read it, errors included, and answers preflights.
    ///
    /// A preflight is an OPTIONS with Origin and Access-Control-Request-Method; `response` is what the router has for it, and
    /// the methods in its Allow are those that it is told. A browser sends it without credentials, so that it must come here
    /// before any key is asked for.
    ///
    /// - Parameters:
    ///   - response: The answer as it would be without this.
    ///   - method: The method of the request.
    ///   - fields: The fields of the request.
    func amend(_ response: inout Response, method: HTTPRequest.Method, fields: HTTPFields) {
        let origin = fields[.origin]
        switch rule {
        case .none: return
        case .all:
            // An answer that says so to everybody depends on nobody's origin, and needs no Vary (Fetch, "CORS protocol and HTTP
            // caches").
            response.fields[.accessControlAllowOrigin] = "*"
        case .listed(let origins):
            response.fields.appendToVary("Origin")
            guard let origin, origins.contains(origin) else { return }
            response.fields[.accessControlAllowOrigin] = origin
        }
        if method == .options, origin != nil, fields[.accessControlRequestMethod] != nil {
            response.fields[.accessControlAllowMethods] = response.fields[.allow]
            response.fields[.accessControlAllowHeaders] = Self.allowedFields
            response.fields[.accessControlMaxAge] = "600"
        } else {
            response.fields[.accessControlExposeHeaders] = Self.exposedFields
        }
    }

    private static let allowedFields = "Authorization, Content-Type, X-Request-Id, traceparent, If-None-Match"
    private static let exposedFields = "X-Request-Id, traceparent, Server-Timing, Retry-After, ETag"
}

/// Why a configured origin is not one.
struct CORSPolicyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The origin as it was configured.
    let origin: String
    /// What is wrong with it, and what to change.
    let detail: String

    /// What is wrong with which origin.
    var description: String { "CORS origin \"\(origin)\": \(detail)" }
}

extension HTTPFields {
    /// Adds a name to the list in Vary (RFC 9110 section 12.5.5), unless it is there.
    mutating func appendToVary(_ name: String) {
        let present = self[.vary] ?? ""
        let names = present.split(separator: ",").map { $0.lowercased().filter { $0 != " " && $0 != "\t" } }
        if names.contains("*") || names.contains(name.lowercased()) { return }
        self[.vary] = present.isEmpty ? name : "\(present), \(name)"
    }
}
