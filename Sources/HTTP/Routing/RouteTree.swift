import HTTPTypes

/// The routes by the segments of their paths. A literal goes before a name wherever both would match.
struct RouteTree: Sendable {
    /// What one path has: a route for each method that it allows.
    typealias Resource = [HTTPRequest.Method: Router.Route]

    private struct Node: Sendable {
        var literals: [String: Node] = [:]
        /// The node behind a name; an array because a struct cannot hold itself. Never more than one.
        var parameter: [Node] = []
        var resource: Resource = [:]
    }

    private var root = Node()

    /// Adds a route.
    ///
    /// - Returns: False if that path has a route for that method already.
    mutating func insert(_ route: Router.Route, for method: HTTPRequest.Method) -> Bool {
        Self.insert(route, method, route.pattern.segments[...], into: &root)
    }

    /// What the path of `segments` has, or nil if there is no such path. O(segments), unless names and literals compete.
    func resource(at segments: [String]) -> Resource? { Self.find(segments[...], below: root) }

    /// The methods that any path has.
    var methods: Set<HTTPRequest.Method> {
        func methods(of node: Node) -> Set<HTTPRequest.Method> {
            (Array(node.literals.values) + node.parameter).reduce(Set(node.resource.keys)) { $0.union(methods(of: $1)) }
        }
        return methods(of: root)
    }

    private static func insert(
        _ route: Router.Route, _ method: HTTPRequest.Method, _ segments: ArraySlice<RoutePattern.Segment>,
        into node: inout Node
    ) -> Bool {
        switch segments.first {
        case nil:
            guard node.resource[method] == nil else { return false }
            node.resource[method] = route
            return true
        case .literal(let text):
            return insert(route, method, segments.dropFirst(), into: &node.literals[text, default: Node()])
        case .parameter:
            if node.parameter.isEmpty { node.parameter = [Node()] }
            return insert(route, method, segments.dropFirst(), into: &node.parameter[0])
        }
    }

    private static func find(_ segments: ArraySlice<String>, below node: Node) -> Resource? {
        guard let first = segments.first else { return node.resource.isEmpty ? nil : node.resource }
        if let next = node.literals[first], let found = find(segments.dropFirst(), below: next) { return found }
        guard !first.isEmpty, let next = node.parameter.first else { return nil }
        return find(segments.dropFirst(), below: next)
    }
}
