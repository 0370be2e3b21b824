/// Why API keys could not be read. Says where, and never repeats what it found there: it may be a key.
struct APIKeysError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where it is wrong: "line 3" of a file, "entry 3" of a list; nil where it is the whole.
    let place: String?
    /// What is wrong, and what to change.
    let detail: String

    /// What is wrong with API keys, and where.
    var description: String { "API keys" + (place.map { ", \($0)" } ?? "") + ": \(detail)" }
}
