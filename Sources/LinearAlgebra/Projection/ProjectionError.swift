/// Why there is no such projection.
public enum ProjectionError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A size that must be positive is not, or is beyond the largest there may be.
    case size(name: String, value: Int, largest: Int)
    /// There is no projection of a seed with such an index.
    case index(Int, largest: Int)
    /// A column can't have so many nonzeros.
    case nonzeros(Int, outputs: Int)
    /// A rank-one projection's dimension must be a square; the next ones below and above are given.
    case notSquare(Int, below: Int, above: Int)

    /// What is wrong and what to change.
    public var description: String {
        switch self {
        case .size(let name, let value, let largest): "\(name) is \(value) and must be from 1 to \(largest)"
        case .index(let index, let largest): "a projection's index is \(index) and must be from 0 to \(largest)"
        case .nonzeros(let nonzeros, let outputs):
            "a column of \(outputs) numbers can't have \(nonzeros) nonzeros: from 1 to \(outputs) of them"
        case .notSquare(let dimension, let below, let above):
            "a rank-one projection has a square number of outputs, and \(dimension) is none: take \(below) or \(above)"
        }
    }

    /// - Throws: `size` unless the value is from 1 to `largest`.
    static func check(_ name: String, _ value: Int, upTo largest: Int) throws(ProjectionError) {
        guard value >= 1, value <= largest else { throw .size(name: name, value: value, largest: largest) }
    }

    /// The most inputs, 2⁴⁸, and outputs, 2²⁰, of a projection, and the most projections of a seed, 2²⁴.
    static let most = (inputs: 1 << 48, outputs: 1 << 20, indices: 1 << 24)

    static func check(inputs: Int, outputs: Int, index: Int) throws(ProjectionError) {
        try check("a projection's input width", inputs, upTo: most.inputs)
        try check("a projection's dimension", outputs, upTo: most.outputs)
        guard index >= 0, index < most.indices else {
            throw .index(index, largest: most.indices - 1)
        }
    }
}
