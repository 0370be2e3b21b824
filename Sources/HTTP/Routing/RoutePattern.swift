/// A path with names in place of some segments, such as "/datasets/{dataset}/examples/{index}".
struct RoutePattern: Equatable, Sendable {
    /// One piece between slashes.
    enum Segment: Equatable, Sendable {
        /// Matches itself.
        case literal(String)
        /// Matches any segment that is not empty, which then goes by this name.
        case parameter(String)
    }

    /// The pieces in their order; "/" has none.
    let segments: [Segment]

    /// Reads a pattern, or gives nil if it does not begin with a slash, has an empty segment, an empty name or one name twice.
    init?(_ text: String) {
        guard text.hasPrefix("/") else { return nil }
        var segments: [Segment] = []
        var names: Set<Substring> = []
        let pieces = text == "/" ? [] : text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for piece in pieces {
            if piece.hasPrefix("{"), piece.hasSuffix("}") {
                let name = piece.dropFirst().dropLast()
                guard !name.isEmpty, names.insert(name).inserted else { return nil }
                segments.append(.parameter(String(name)))
            } else {
                guard !piece.isEmpty, !piece.contains("{"), !piece.contains("}") else { return nil }
                segments.append(.literal(String(piece)))
            }
        }
        self.segments = segments
    }
}
