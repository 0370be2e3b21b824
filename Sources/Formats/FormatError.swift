/// Why a file could not be read: which file, which part of it, what is wrong and, where it helps, what would be right.
public struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as the user named it.
    public let file: String
    /// The tensor, column, member or line at fault; nil if it is the file as a whole.
    public let part: String?
    /// What is wrong.
    public let reason: String

    /// An error about `part` of `file`. Names and values in it may come out of the file: they are made fit to be shown, and cut
    /// where they are long.
    public init(file: String, part: String? = nil, reason: String) {
        self.file = file
        self.part = part?.legible(limit: 200)
        self.reason = reason.legible(limit: 2_000)
    }

    /// "FILE: PART: REASON".
    public var description: String {
        if let part { "\(file): \(part): \(reason)" } else { "\(file): \(reason)" }
    }
}
