/// One thing that is wrong with a store.
public struct StoreFinding: Hashable, Sendable, CustomStringConvertible {
    /// The table it is in, or `database` for the file as a whole.
    public let table: String
    /// The name of the dataset, model, checkpoint, tensor, cache or derived quantity it is about, if it is about one.
    public let name: String?
    /// The rows of the damaged block, if it is one block.
    public let rows: Range<Int>?
    /// What is wrong.
    public let problem: String

    /// "TABLE, NAME, rows A..<B: PROBLEM".
    public var description: String {
        let place = [table, name, rows.map { "rows \($0.lowerBound)..<\($0.upperBound)" }].compactMap { $0 }
        return place.joined(separator: ", ") + ": " + problem
    }
}
