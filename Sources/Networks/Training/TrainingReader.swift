/// Reads what `TrainingWriter` wrote, and believes none of it.
struct TrainingReader {
    private var rest: ArraySlice<UInt8>

    /// - Throws: `TrainingError.damaged` where the checksum at the end is another.
    init(_ bytes: [UInt8]) throws(TrainingError) {
        guard bytes.count >= 8 else { throw .damaged(reason: "\(bytes.count) bytes are too few") }
        let content = bytes.dropLast(8)
        rest = bytes.suffix(8)
        let expected = try readInteger(UInt64.self, "the checksum")
        guard TrainingChecksum.of(content) == expected else { throw .damaged(reason: "the checksum is another") }
        rest = content
    }

    mutating func readInteger<Number: FixedWidthInteger>(_ type: Number.Type, _ what: String) throws(TrainingError) -> Number {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { throw .damaged(reason: "they end before \(what)") }
        let number = rest.withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
        rest = rest.dropFirst(size)
        return Number(littleEndian: number)
    }

    /// A number between 0 and a bound.
    mutating func readCount(_ what: String, atMost bound: Int) throws(TrainingError) -> Int {
        let number = try readInteger(Int.self, what)
        guard number >= 0, number <= bound else { throw .damaged(reason: "\(what), \(number), is not between 0 and \(bound)") }
        return number
    }

    mutating func readFlag(_ what: String) throws(TrainingError) -> Bool {
        switch try readInteger(UInt8.self, what) {
        case 0: return false
        case 1: return true
        case let other: throw .damaged(reason: "\(what) is \(other), neither 0 nor 1")
        }
    }

    /// A finite number.
    mutating func readNumber(_ what: String) throws(TrainingError) -> Double {
        let number = Double(bitPattern: try readInteger(UInt64.self, what))
        guard number.isFinite else { throw .damaged(reason: "\(what) is not finite") }
        return number
    }

    /// A finite number, if there is one.
    mutating func readOptionalNumber(_ what: String) throws(TrainingError) -> Double? {
        try readFlag("having \(what)") ? readNumber(what) : nil
    }

    /// `count` finite numbers.
    mutating func readFloats(_ count: Int, _ what: String) throws(TrainingError) -> [Float] {
        // Divided rather than multiplied: a count can be anything.
        guard rest.count / 4 >= count else { throw .damaged(reason: "they end within \(what)") }
        let numbers = rest.withUnsafeBytes { bytes in
            (0..<count).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
        guard numbers.allSatisfy(\.isFinite) else { throw .damaged(reason: "a number of \(what) is not finite") }
        rest = rest.dropFirst(4 * count)
        return numbers
    }

    /// How many single-precision numbers there can still be.
    var mostFloats: Int { rest.count / 4 }

    /// - Throws: `TrainingError.damaged` where something is left.
    func close() throws(TrainingError) {
        guard rest.isEmpty else { throw .damaged(reason: "\(rest.count) bytes follow their end") }
    }
}
