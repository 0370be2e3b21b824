/// Why slices can't be compared.
public enum SliceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A slice of the training data names an example that there is not.
    case index(UInt32, slice: Int, count: Int)
    /// What must be kept takes more memory than there is for it.
    case tooLarge(bytes: Int, limit: Int)

    /// What is wrong, and what to change.
    public var description: String {
        switch self {
        case .index(let index, let slice, let count):
            "training slice \(slice) names the example \(index), and there are \(count), from 0"
        case .tooLarge(let bytes, let limit):
            "the slices take \(bytes) bytes and there is room for \(limit): ask for fewer slices, or leave out their correlations"
        }
    }
}
