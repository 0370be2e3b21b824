/// Why a tensor's elements cannot be had as what was asked for. The tensor does not know its file: the reader of the file adds
/// it.
public struct TensorError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, with the place of the first element at fault.
    public let reason: String

    /// An error with its reason, cut where a shape makes it long.
    public init(_ reason: String) { self.reason = reason.legible(limit: 2_000) }

    /// The reason.
    public var description: String { reason }
}

extension FormatError {
    /// What is wrong with the elements of `part` of `file`.
    public init(file: String, part: String? = nil, _ error: TensorError) {
        self.init(file: file, part: part, reason: error.reason)
    }
}
