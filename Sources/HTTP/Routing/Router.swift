public import HTTPTypes

/// Hands each request to the route that its path and method name, and answers those that name none.
///
/// No such path is a 404 (RFC 9110 §15.5.5); no such method on it, a 405 with Allow (§15.5.6). OPTIONS is answered with 204
/// and Allow (§9.3.7), `OPTIONS *` with the methods of all paths. HEAD is served by the route of GET, whose body is not sent
/// (§9.3.2). A body without a length, on a route that takes one, is a 411 (§15.5.12).
public struct Router: RequestHandler {
    /// Answers a request; the rules are those of ``RequestHandler/handle(_:reply:)``.
    public typealias Handle = @Sendable (_ request: Request, _ reply: @escaping @Sendable (Response) -> Void) -> Void
    /// Refuses a request before its body is read, or gives nil; the rules are those of ``RequestHandler/admit(_:_:)``.
    public typealias Admit = @Sendable (_ head: RequestHead, _ context: (any ExchangeContext)?) -> Response?

    /// What serves one method of one path.
    struct Route: Sendable {
        let number: Int
        let pattern: RoutePattern
        let admit: Admit
        let handle: Handle
    }

    /// All routes, in the order in which they were added.
    public private(set) var routes: [(method: HTTPRequest.Method, pattern: String)] = []
    private var tree = RouteTree()
    private let problem: ProblemRenderer

    /// A router without routes, which renders its refusals by `problem`.
    public init(problem: @escaping ProblemRenderer) { self.problem = problem }

    /// Adds the route for `method` on the paths of `pattern`, in which `{name}` stands for any one segment.
    ///
    /// - Parameters:
    ///   - pattern: A path such as "/models/{model}". Its names are the keys of ``Request/parameters``.
    ///   - admit: May refuse a request before its body is read.
    ///   - handle: Answers a request.
    /// - Precondition: The pattern is well-formed, and no route has the same path and method.
    public mutating func on(
        _ method: HTTPRequest.Method, _ pattern: String, admit: @escaping Admit = { _, _ in nil }, handle: @escaping Handle
    ) {
        guard let parsed = RoutePattern(pattern) else { preconditionFailure("Not a route's pattern: \(pattern)") }
        let isNew = tree.insert(Route(number: routes.count, pattern: parsed, admit: admit, handle: handle), for: method)
        precondition(isNew, "There are two routes for \(method) \(pattern)")
        routes.append((method, pattern))
    }

    /// The index in ``routes`` of the one that serves a request; nil where none does.
    public func route(of head: RequestHead) -> Int? {
        guard case .route(let route) = lookUp(head) else { return nil }
        return route.number
    }

    /// Refuses what has no route, and what the route refuses.
    public func admit(_ head: RequestHead, _ context: (any ExchangeContext)?) -> Response? {
        switch lookUp(head) {
        case .answer(let response): response
        case .route(let route):
            // RFC 9110 §15.5.12.
            head.lacksLength
                ? problem(.lengthRequired, "A \(head.method) needs a Content-Length.", head.target.raw)
                : route.admit(head, context)
        }
    }

    /// Has the route answer.
    public func handle(_ request: Request, reply: @escaping @Sendable (Response) -> Void) {
        switch lookUp(request.head) {
        case .answer(let response): reply(response)
        case .route(let route):
            var request = request
            request.parameters = route.parameters(for: request.target.segments)
            route.handle(request, reply)
        }
    }

    private enum Finding {
        case route(Route)
        case answer(Response)
    }

    private func lookUp(_ head: RequestHead) -> Finding {
        if head.target.form == .asterisk {
            return .answer(.empty(fields: [.allow: Self.allow(tree.methods)]))
        }
        guard let resource = tree.resource(at: head.target.segments) else {
            // RFC 9110 §15.5.5.
            return .answer(problem(.notFound, "There is nothing at \(head.target.raw).", head.target.raw))
        }
        if let route = resource[head.method] ?? (head.method == .head ? resource[.get] : nil) { return .route(route) }
        let allow = Self.allow(Set(resource.keys))
        if head.method == .options { return .answer(.empty(fields: [.allow: allow])) }
        // RFC 9110 §15.5.6.
        var refusal = problem(
            .methodNotAllowed, "\(head.method) is not allowed at \(head.target.raw); \(allow) are.", head.target.raw)
        refusal.fields[.allow] = allow
        return .answer(refusal)
    }

    /// The value of Allow for the methods of a resource: those, and the ones that come with them.
    private static func allow(_ methods: Set<HTTPRequest.Method>) -> String {
        let implied: Set<HTTPRequest.Method> = methods.contains(.get) ? [.head, .options] : [.options]
        return methods.union(implied).map(\.rawValue).sorted().joined(separator: ", ")
    }
}

extension Router.Route {
    /// The segments that the pattern has names for, by their names.
    func parameters(for segments: [String]) -> [String: String] {
        var parameters: [String: String] = [:]
        for case (.parameter(let name), let value) in zip(pattern.segments, segments) { parameters[name] = value }
        return parameters
    }
}
