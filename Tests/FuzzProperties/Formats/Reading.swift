import Formats
import Foundation

/// What came of reading a file: some value, or an error.
typealias Reading<Value> = Result<Value, FormatError>

/// Reads `input` twice, the second time as a slice of something longer, as a part of a mapped file is: what comes of it must be
/// the same, and an error must be one that says something.
func reading<Value>(
    _ input: [UInt8], isSame: (Value, Value) -> Bool, _ decode: (Data) throws(FormatError) -> Value
) throws(Violation) -> Reading<Value> {
    let slice = (Data([0x93, 0x1F, 0x50]) + Data(input) + Data([0x0A])).dropFirst(3).dropLast()
    switch (Reading(catching: decode, Data(input)), Reading(catching: decode, slice)) {
    case (.success(let one), .success(let other)):
        try require(isSame(one, other), "as a slice, \(one) became \(other)")
        return .success(one)
    case (.failure(let one), .failure(let other)):
        try require(one == other, "as a slice, \(one) became \(other)")
        try require(one.description.isReadable(atMost: 10_000), "an error says \(one.description.debugDescription)")
        return .failure(one)
    case (let one, let other):
        throw Violation("as a slice, \(one) became \(other)")
    }
}

extension Result where Failure == FormatError {
    fileprivate init(catching decode: (Data) throws(FormatError) -> Success, _ data: Data) {
        do throws(FormatError) { self = .success(try decode(data)) } catch { self = .failure(error) }
    }

    /// What was read, if anything.
    var value: Success? { try? get() }
}
