internal import LinearAlgebra

/// Why bytes are not the eigenpairs that they should be.
public struct DamagedEigenpairs: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, in a sentence.
    public let description: String

    /// An error of some kind.
    public init(description: String) { self.description = description }
}

// Eigenpairs as they are kept: little-endian, whatever the machine.
//
//     bytes 0..<8    "EIGPAIR1"
//     8..<16, 16..<24    p and k, unsigned
//     24..<64    the trace; the smallest and the largest Ritz value, each with its residual… as 5 doubles
//     64..<72    steps, unsigned
//     then k doubles θ, k doubles of residuals, k·p floats Q
//     last 8     a checksum of all before it
extension ArnoldiSolver {
    private static let magic: UInt64 = 0x3152_4941_5047_4945
    private static let headerLength = 72

    /// The pairs and the trace as bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount(dimension: pairs.dimension, rank: pairs.count) ?? 0)
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        append(Self.magic)
        append(UInt64(pairs.dimension))
        append(UInt64(pairs.count))
        let ends = pairs.ends
        for number in [trace, ends.smallest.value, ends.smallest.residual, ends.largest.value, ends.largest.residual] {
            append(number.bitPattern)
        }
        append(UInt64(ends.steps))
        for number in pairs.values + pairs.residuals { append(number.bitPattern) }
        for number in pairs.vectors.elements {
            withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(bytes.withUnsafeBytes { Checksum.of($0) })
        return bytes
    }

    /// Bytes that the pairs take.
    public var byteCount: Int { Self.byteCount(dimension: pairs.dimension, rank: pairs.values.count) ?? .max }

    /// How many bytes pairs take; nil where that overflows.
    public static func byteCount(dimension: Int, rank: Int) -> Int? {
        let (elements, tooMany) = dimension.multipliedReportingOverflow(by: rank)
        let (floats, tooLong) = elements.multipliedReportingOverflow(by: 4)
        let (doubles, tooHigh) = rank.multipliedReportingOverflow(by: 16)
        let (body, tooLarge) = floats.addingReportingOverflow(doubles)
        let (total, overflow) = body.addingReportingOverflow(headerLength + 8)
        return tooMany || tooLong || tooHigh || tooLarge || overflow ? nil : total
    }

    /// A solver on pairs that were kept, for a curvature of the given order.
    /// - Throws: `DamagedEigenpairs` where the bytes are of something else, too few or too many, or changed.
    public init(
        bytes: UnsafeRawBufferPointer, dimension: Int, complement: Complement = .fitted
    ) throws(DamagedEigenpairs) {
        func damaged(_ text: String) -> DamagedEigenpairs { DamagedEigenpairs(description: text) }
        func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        func number(_ offset: Int) -> Double { Double(bitPattern: word(offset)) }
        guard bytes.count >= Self.headerLength + 8, word(0) == Self.magic else { throw damaged("these are no eigenpairs") }
        guard word(8) == UInt64(dimension) else { throw damaged("eigenvectors of \(word(8)) numbers are not of \(dimension)") }
        guard let rank = Int(exactly: word(16)), (1...dimension).contains(rank) else {
            throw damaged("there can't be \(word(16)) pairs")
        }
        guard bytes.count == Self.byteCount(dimension: dimension, rank: rank) else {
            throw damaged("\(rank) pairs don't take \(bytes.count) bytes")
        }
        let end = bytes.count - 8
        guard word(end) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])) else {
            throw damaged("the checksum is another")
        }
        let header = stride(from: 24, to: 64, by: 8).map(number)
        let values = (0..<rank).map { number(Self.headerLength + 8 * $0) }
        let residuals = (0..<rank).map { number(Self.headerLength + 8 * (rank + $0)) }
        let vectors = AlignedMemory<Float>(uninitialized: rank * dimension)
        let start = Self.headerLength + 16 * rank
        for i in 0..<rank * dimension {
            vectors.start[i] = Float(
                bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * i, as: UInt32.self)))
        }
        guard let steps = Int(exactly: word(64)), (header + values + residuals).allSatisfy(\.isFinite),
            vectors.elements.allSatisfy(\.isFinite), zip(values, values.dropFirst()).allSatisfy({ abs($0) >= abs($1) })
        else { throw damaged("there are numbers among them that no pairs have") }
        self.init(
            pairs: Eigenpairs(
                dimension: dimension, values: values, residuals: residuals, vectors: vectors,
                ends: SpectrumEnds(
                    smallest: RitzValue(value: header[1], residual: header[2]),
                    largest: RitzValue(value: header[3], residual: header[4]), steps: steps)),
            trace: header[0], complement: complement)
    }
}
