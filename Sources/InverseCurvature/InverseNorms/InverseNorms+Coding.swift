internal import LinearAlgebra

/// Why bytes are not the norms that they should be.
public struct DamagedNorms: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, in a sentence.
    public let description: String
}

// Norms as they are kept: little-endian, whatever the machine.
//
//     bytes 0..<8    "INVNORM1"
//     8..<16    n, unsigned
//     16..<24    1 where lengths are there, 0 where not
//     then n doubles gᵢᵀ(C + λI)⁻¹gᵢ, and n doubles ‖(C + λI)⁻¹gᵢ‖² where they are there
//     last 8     a checksum of all before it
extension InverseNorms {
    private static let magic: UInt64 = 0x314d_524f_4e56_4e49
    private static let headerLength = 24

    /// The norms as bytes, to be kept.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerLength + byteCount + 8)
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        [Self.magic, UInt64(count), squaredSteps == nil ? 0 : 1].forEach(append)
        for number in selfInfluence { append(number.bitPattern) }
        for number in squaredSteps ?? [] { append(number.bitPattern) }
        append(bytes.withUnsafeBytes { Checksum.of($0) })
        return bytes
    }

    /// Norms of so many examples from the bytes of `encoded`. That they are of these examples, this curvature and this λ is for the caller
    /// to know.
    /// - Throws: `DamagedNorms` where they are of another number of examples, too few or too many, or changed.
    public init(decoding bytes: UnsafeRawBufferPointer, count: Int) throws(DamagedNorms) {
        func damaged(_ text: String) -> DamagedNorms { DamagedNorms(description: text) }
        func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        guard bytes.count >= Self.headerLength + 8, word(0) == Self.magic else { throw damaged("these are no norms") }
        guard word(8) == UInt64(count), word(16) <= 1 else {
            throw damaged("norms of \(word(8)) examples are not of \(count)")
        }
        let end = bytes.count - 8
        let parts = 1 + Int(word(16))
        guard (end - Self.headerLength) / 8 / parts == count, end == Self.headerLength + 8 * parts * count else {
            throw damaged("norms of \(count) examples don't take \(bytes.count) bytes")
        }
        guard word(end) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])) else {
            throw damaged("the checksum is another")
        }
        let numbers = (0..<parts * count).map { Double(bitPattern: word(Self.headerLength + 8 * $0)) }
        guard numbers.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw damaged("there are numbers among them that no norm has")
        }
        self.init(
            selfInfluence: Array(numbers[..<count]), squaredSteps: parts == 1 ? nil : Array(numbers[count...]))
    }

    /// The same of an array.
    /// - Throws: `DamagedNorms`.
    public init(decoding bytes: [UInt8], count: Int) throws(DamagedNorms) {
        let result: Result<InverseNorms, DamagedNorms> = bytes.withUnsafeBytes { bytes in
            do throws(DamagedNorms) {
                return .success(try InverseNorms(decoding: bytes, count: count))
            } catch { return .failure(error) }
        }
        self = try result.get()
    }
}
