extension String {
    /// Whether a person can read it in one look, and a terminal or a log does nothing but show it: it is not empty, has at most
    /// `limit` bytes, and no control characters.
    public func isReadable(atMost limit: Int) -> Bool {
        !isEmpty && utf8.count <= limit && !unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
