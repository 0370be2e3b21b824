public import LinearAlgebra

/// Why bytes are not the sketch that they should be.
public struct DamagedSketch: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, in a sentence.
    public let description: String

    /// An error of some kind.
    public init(description: String) { self.description = description }
}

// Sketches as they are kept: little-endian, whatever the machine.
//
//     bytes 0..<8    "SKETCH01"
//     8..<16, 16..<24    p and d, unsigned
//     24..<32, 32..<40    the seed; λ, a double
//     40..<48    0 for columns, 1 for pairs
//     then d·p floats S, or the bytes of an ArnoldiSolver
//     last 8     a checksum of all before it
extension SketchSolver {
    private static let magic: UInt64 = 0x3130_4843_5445_4b53
    private static let headerLength = 48

    /// The sketch as bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        func appendHeader(_ dimension: Int, _ shift: Double, kind: UInt64) {
            [Self.magic, UInt64(dimension), UInt64(settings.projectionDim), settings.seed, shift.bitPattern, kind].forEach(append)
        }
        switch substance {
        case .columns(let columns, let shift, _):
            bytes.reserveCapacity(Self.headerLength + 4 * columns.count * columns.dimension + 8)
            appendHeader(columns.dimension, shift, kind: 0)
            for i in 0..<columns.count * columns.dimension {
                withUnsafeBytes(of: columns.start[i].bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
            }
        case .pairs(let solver):
            // Pairs are of D alone.
            appendHeader(solver.pairs.dimension, 0, kind: 1)
            bytes += solver.bytes
        }
        append(bytes.withUnsafeBytes { Checksum.of($0) })
        return bytes
    }

    /// A sketch that was kept, for a curvature of the given order and λ; G is made again from its seed, 2·d·p random numbers.
    /// - Throws: `DamagedSketch` where the bytes are of something else or another λ, too few or too many, or changed; `Interrupted`.
    public init(
        bytes: UnsafeRawBufferPointer, dimension: Int, shift: Double, parallel: Parallel, interruption: Interruption = .never
    ) throws {
        func damaged(_ text: String) -> DamagedSketch { DamagedSketch(description: text) }
        func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        guard bytes.count >= Self.headerLength + 8, word(0) == Self.magic else { throw damaged("this is no sketch") }
        guard word(8) == UInt64(dimension) else { throw damaged("columns of \(word(8)) numbers are not of \(dimension)") }
        let end = bytes.count - 8
        guard word(end) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])) else {
            throw damaged("the checksum is another")
        }
        guard let count = Int(exactly: word(16)), count > 0 else { throw damaged("there can't be \(word(16)) columns") }
        let body = UnsafeRawBufferPointer(rebasing: bytes[Self.headerLength..<end])
        if word(40) == 1 {
            do throws(DamagedEigenpairs) {
                self.init(
                    Settings(projectionDim: count, seed: word(24), estimate: .fitted),
                    .pairs(try ArnoldiSolver(bytes: body, dimension: dimension)))
            } catch {
                throw damaged(error.description)
            }
            return
        }
        guard word(40) == 0 else { throw damaged("there is no sketch of kind \(word(40))") }
        let kept = Double(bitPattern: word(32))
        guard kept == shift else { throw damaged("a sketch for λ = \(kept) is not for \(shift)") }
        let (numbers, overflow) = count.multipliedReportingOverflow(by: dimension)
        guard !overflow, body.count % 4 == 0, numbers == body.count / 4 else {
            throw damaged("\(count) columns don't take \(bytes.count) bytes")
        }
        let memory = AlignedMemory<Float>(uninitialized: numbers)
        for i in 0..<numbers {
            memory.start[i] = Float(
                bitPattern: UInt32(littleEndian: body.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)))
        }
        guard memory.elements.allSatisfy(\.isFinite) else { throw damaged("there are numbers among them that no sketch has") }
        self.init(
            Settings(projectionDim: count, seed: word(24), estimate: .unbiased),
            .columns(
                StackedRows(memory, count: count, dimension: dimension), shift: shift,
                projection: try Self.projection(
                    count: count, dimension: dimension, seed: word(24), parallel: parallel, interruption: interruption)))
    }
}
