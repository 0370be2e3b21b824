internal import HTTPTypes

/// Why a request was refused without being worked on.
enum RejectionReason: String, CaseIterable, Sendable {
    /// The queue of jobs is full.
    case queueFull = "queue_full"
    /// The client has as many requests in progress as it may.
    case clientLimit = "client_limit"
    /// It has no valid API key.
    case unauthorized
    /// It is not as HTTP, or this server's limits, want it.
    case protocolError = "protocol"
}

/// The method of a request, as a label: the known ones, and one for all others, which are the client's to invent.
enum MethodLabel: String, CaseIterable, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case options = "OPTIONS"
    case patch = "PATCH"
    case connect = "CONNECT"
    case trace = "TRACE"
    case other

    /// The label of a method.
    init(_ method: HTTPRequest.Method) {
        self =
            switch method {
            case .get: .get
            case .head: .head
            case .post: .post
            case .put: .put
            case .delete: .delete
            case .options: .options
            case .patch: .patch
            case .connect: .connect
            case .trace: .trace
            default: .other
            }
    }
}
