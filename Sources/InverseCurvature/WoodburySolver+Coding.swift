public import LinearAlgebra

/// Why bytes are not the factor that they should be.
public struct DamagedFactor: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, in a sentence.
    public let description: String
}

// A factor as it is kept: little-endian, whatever the machine.
//
//     bytes 0..<8    "WOODBRY1"
//     8..<16, 16..<24    n and p, unsigned
//     24..<32    λ, as a double
//     then n(n + 1)/2 floats, in the order of `PackedSymmetricMatrix`
//     last 8     a checksum of all before it
extension WoodburySolver {
    private static let magic: UInt64 = 0x3159_5242_444f_4f57
    private static let headerLength = 32

    /// The factor as bytes, with what it is of.
    public var encoded: [UInt8] {
        let numbers = factor.packed.memory
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerLength + numbers.count * MemoryLayout<Float>.stride + 8)
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        append(Self.magic)
        append(UInt64(rows.exampleCount))
        append(UInt64(rows.dimension))
        append(shift.bitPattern)
        numbers.elements.withMemoryRebound(to: UInt32.self) { words in
            if UInt32(1).littleEndian == 1 { return bytes.append(contentsOf: UnsafeRawBufferPointer(words)) }
            for word in words { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        }
        append(bytes.withUnsafeBytes { Checksum.of($0) })
        return bytes
    }

    /// How many bytes the factor of so many examples takes; nil where that overflows.
    public static func byteCount(exampleCount: Int) -> Int? {
        guard let elements = PackedSymmetricMatrix.elementCount(order: exampleCount) else { return nil }
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        let (total, tooLarge) = bytes.addingReportingOverflow(headerLength + 8)
        return overflow || tooLarge ? nil : total
    }

    /// A solver on the bytes of a factor that was kept. They say of how many examples and parameters it is, and of which λ; that it is
    /// of these rows is for the caller to know.
    /// - Throws: `DamagedFactor` where they are of something else, too few or too many, or changed.
    public init(
        decoding bytes: UnsafeRawBufferPointer, rows: any FisherRows, shift: Double
    ) throws(DamagedFactor) {
        func damaged(_ text: String) -> DamagedFactor { DamagedFactor(description: text) }
        func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        guard bytes.count >= Self.headerLength + 8, word(0) == Self.magic else { throw damaged("these are no factor") }
        let order = rows.exampleCount
        guard word(8) == UInt64(order), word(16) == UInt64(rows.dimension) else {
            throw damaged("a factor of \(word(8)) gradients of \(word(16)) numbers is not of \(order) of \(rows.dimension)")
        }
        guard word(24) == shift.bitPattern else {
            throw damaged("a factor with the shift \(Double(bitPattern: word(24))) has not the shift \(shift)")
        }
        guard order > 0, bytes.count == Self.byteCount(exampleCount: order) else {
            throw damaged("\(order) gradients' factor doesn't take \(bytes.count) bytes")
        }
        let end = bytes.count - 8
        guard word(end) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])) else {
            throw damaged("the checksum is another")
        }
        let matrix = PackedSymmetricMatrix(uninitializedOrder: order)
        for i in 0..<matrix.memory.count {
            matrix.memory.start[i] = Float(
                bitPattern: UInt32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: Self.headerLength + 4 * i, as: UInt32.self)))
        }
        guard matrix.memory.elements.allSatisfy(\.isFinite), (0..<order).allSatisfy({ matrix[$0, $0] > 0 }),
            DampedCurvature.canDivide(by: shift)
        else { throw damaged("there are numbers among them that no factor has") }
        self.init(rows: rows, factor: CholeskyFactor(packed: matrix), shift: shift)
    }

    /// The same of an array.
    /// - Throws: `DamagedFactor`.
    public init(decoding bytes: [UInt8], rows: any FisherRows, shift: Double) throws(DamagedFactor) {
        let result: Result<WoodburySolver, DamagedFactor> = bytes.withUnsafeBytes { bytes in
            do throws(DamagedFactor) {
                return .success(try WoodburySolver(decoding: bytes, rows: rows, shift: shift))
            } catch { return .failure(error) }
        }
        self = try result.get()
    }
}
