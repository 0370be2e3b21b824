/// Shapes as the database holds them: JSON arrays of whole numbers, such as `[1,28,28]`.
enum ShapeText {
    /// `shape` as text.
    static func encode(_ shape: [Int]) -> String {
        "[" + shape.map(String.init).joined(separator: ",") + "]"
    }

    /// The shape that `text` stands for; nil if it is not exactly what ``encode(_:)`` writes.
    static func decode(_ text: String) -> [Int]? {
        guard text.hasPrefix("["), text.hasSuffix("]"), text.utf8.count >= 2 else { return nil }
        let inside = text.dropFirst().dropLast()
        guard !inside.isEmpty else { return [] }
        var shape: [Int] = []
        for part in inside.split(separator: ",", omittingEmptySubsequences: false) {
            guard let extent = Int(part), extent >= 0 else { return nil }
            shape.append(extent)
        }
        return encode(shape) == text ? shape : nil
    }
}
