/// The version of a request, as far as it makes a difference here (RFC 9112 §2.3). Higher minor versions are served as 1.1.
public enum HTTPVersion: Equatable, Sendable {
    /// HTTP/1.0: connections close unless kept alive, no chunked coding, Host optional.
    case http10
    /// HTTP/1.1.
    case http11
}
