/// Writes numbers one after the other, little-endian, and a checksum of all of them at the end.
struct TrainingWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(_ number: Double) { write(number.bitPattern) }

    mutating func write(_ flag: Bool) { write(flag ? UInt8(1) : 0) }

    /// Whether there is a number, and the number.
    mutating func write(_ number: Double?) {
        write(number != nil)
        if let number { write(number) }
    }

    /// The numbers without their count, which the reader knows.
    mutating func write(_ numbers: [Float]) {
        bytes.reserveCapacity(bytes.count + 4 * numbers.count)
        for number in numbers { write(number.bitPattern) }
    }

    /// All bytes, closed by their checksum.
    func closed() -> [UInt8] {
        var closed = self
        closed.write(TrainingChecksum.of(bytes[...]))
        return closed.bytes
    }
}

/// FNV-1a (Fowler, Noll & Vo) over words of 64 bits, the last filled up with zeros, and their length: any change of a
/// single word changes it. It finds accidents, not forgeries.
enum TrainingChecksum {
    static func of(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        let prime: UInt64 = 0x0000_0100_0000_01b3
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        bytes.withUnsafeBytes { bytes in
            let whole = bytes.count & ~7
            for offset in stride(from: 0, to: whole, by: 8) {
                hash = (hash ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))) &* prime
            }
            var last: UInt64 = 0
            for offset in whole..<bytes.count { last |= UInt64(bytes[offset]) << UInt64(8 * (offset - whole)) }
            hash = (hash ^ last) &* prime
            hash = (hash ^ UInt64(bytes.count)) &* prime
        }
        return hash
    }
}
