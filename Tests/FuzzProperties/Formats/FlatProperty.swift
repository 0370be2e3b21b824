import Formats
import Foundation

extension FuzzProperty {
    /// A file of bare numbers: with a shape and a type that take its length it is these bytes, row by row; with others it is an
    /// error, and whatever that says would fit does fit.
    public static let flat = FuzzProperty("flat") { input throws(Violation) in
        var numbers = InputNumbers(input)
        for _ in 0..<6 {
            let layout = FlatLayout(of: input.count, &numbers)
            let read = try reading(input, isSame: Tensor.areSame, layout.decode)
            let isRight = layout.byteCount == input.count && !input.starts(with: [0x93] + "NUMPY".utf8)
            switch read {
            case .success(let tensor):
                try require(isRight, "\(input.count) bytes were taken for \(layout)")
                try require(
                    tensor.elementType == layout.elementType && tensor.shape == layout.shape && tensor.bytes == Data(input),
                    "\(layout) became \(tensor)")
                try tensor.requireConsistent()
            case .failure(let error):
                try require(!isRight, "\(input.count) bytes were not taken for \(layout): \(error)")
                try requireFitting(error, input)
            }
        }
    }

    /// Each layout that an error offers is one that the input can be read by.
    private static func requireFitting(_ error: FormatError, _ input: [UInt8]) throws(Violation) {
        guard let offers = error.reason.firstRange(of: "it would fit ") else { return }
        for offer in error.reason[offers.upperBound...].components(separatedBy: ", or ") {
            let words = offer.components(separatedBy: "] of ")
            let extents = words[0].drop { $0 != "[" }.dropFirst().components(separatedBy: ", ").compactMap { Int($0) }
            let types = words.dropFirst().flatMap { $0.components(separatedBy: " or ") }.map(ElementType.init(rawValue:))
            try require(!extents.isEmpty && !types.isEmpty, "an error offers \(offer.debugDescription)")
            for type in types {
                guard let type else { throw Violation("an error offers \(offer.debugDescription)") }
                let layout = FlatLayout(shape: extents, elementType: type)
                let read = try reading(input, isSame: Tensor.areSame, layout.decode)
                try require(read.value != nil, "\(error) is no true offer: \(read)")
            }
        }
    }
}

/// How a file is said to be laid out, rightly or not.
private struct FlatLayout: CustomStringConvertible {
    var shape: [Int]
    let elementType: ElementType

    var description: String { "\(shape) of \(elementType)" }

    init(shape: [Int], elementType: ElementType) {
        self.shape = shape
        self.elementType = elementType
    }

    /// A layout for so many bytes that is right where they allow it, or wrong by a little or by a lot.
    init(of byteCount: Int, _ numbers: inout InputNumbers) {
        elementType = ElementType.allCases[numbers.below(ElementType.allCases.count)]
        shape = []
        var rest = byteCount / elementType.byteCount
        for _ in 0..<numbers.below(3) {
            let divisors = (1...64).filter { rest.isMultiple(of: $0) }
            let extent = divisors[numbers.below(divisors.count)]
            shape.append(extent)
            rest /= extent
        }
        shape.append(rest)
        guard numbers.below(3) == 0 else { return }
        let extents = [0, 1, -1, shape[0] + 1, 2 * shape[0], .min, .max, 1 << 62, 1 << 32]
        shape[numbers.below(shape.count)] = extents[numbers.below(extents.count)]
        if numbers.below(8) == 0 { shape = [] }
    }

    /// What it takes; nil where that is nothing, or more than there can be.
    var byteCount: Int? {
        guard !shape.isEmpty else { return nil }
        var count = elementType.byteCount
        for extent in shape {
            guard extent > 0, count.multipliedReportingOverflow(by: extent).overflow == false else { return nil }
            count *= extent
        }
        return count
    }

    func decode(_ data: Data) throws(FormatError) -> Tensor {
        try FlatFile.decode(data, shape: shape, elementType: elementType, file: "a.bin")
    }
}
