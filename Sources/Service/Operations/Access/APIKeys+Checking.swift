internal import HTTPTypes

extension APIKeys {
    /// What the keys say to a request.
    enum Verdict: Equatable, Sendable {
        /// It may pass; the name of its key.
        case granted(name: String)
        /// It came without a bearer token.
        case missing
        /// It came with a token that is no key, with a malformed one, or with several.
        case invalid

        /// The value of WWW-Authenticate for the 401 that refuses the request; nil where it may pass.
        ///
        /// A request that did not try to authenticate is told no error (RFC 6750 section 3.1).
        var challenge: String? {
            switch self {
            case .granted: nil
            case .missing: "Bearer realm=\"influenced\""
            case .invalid: "Bearer realm=\"influenced\", error=\"invalid_token\""
            }
        }
    }

    /// Whether a request with `fields` may pass. Authorization is not a list (RFC 9110 section 5.5), so that two are refused,
    /// whatever they say.
    func check(_ fields: HTTPFields) -> Verdict {
        let values = fields[values: .authorization]
        guard let value = values.first else { return .missing }
        guard values.count == 1 else { return .invalid }
        guard BearerToken.hasScheme(value) else { return .missing }
        return match(authorization: value).map { .granted(name: $0) } ?? .invalid
    }
}
