internal import InverseCurvature
internal import LinearAlgebra

// A kernel as it is kept: little-endian, whatever the machine.
//
//     bytes 0..<8    "TRAKKRN1"
//     8..<32    n, d, examples that are not resolved; unsigned
//     32..<48    λ and the mean eigenvalue, doubles
//     then n floats, 1/(1 − p) of each example
//     then d(d + 1)/2 doubles, the factor's rows each up to its diagonal element
//     last 8    a checksum of all before it
extension TRAKKernel {
    private static let magic: UInt64 = 0x314e_524b_4b41_5254
    private static let headerLength = 48

    /// How many bytes a kernel takes; nil where that overflows.
    public static func encodedByteCount(exampleCount: Int, dimension: Int) -> Int? {
        let (next, isLast) = dimension.addingReportingOverflow(1)
        let (square, tooLarge) = dimension.multipliedReportingOverflow(by: next)
        // d(d + 1)/2 numbers of eight bytes.
        let (triangle, tooLong) = square.multipliedReportingOverflow(by: 4)
        let (floats, tooMany) = exampleCount.multipliedReportingOverflow(by: 4)
        let (numbers, overflow) = triangle.addingReportingOverflow(floats)
        let (bytes, isBeyond) = numbers.addingReportingOverflow(headerLength + 8)
        return isLast || tooLarge || tooLong || tooMany || overflow || isBeyond ? nil : bytes
    }

    /// The kernel as bytes.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.encodedByteCount(exampleCount: exampleCount, dimension: dimension) ?? 0)
        func append(_ words: [UInt64]) { words.map(\.littleEndian).withUnsafeBytes { bytes.append(contentsOf: $0) } }
        append([Self.magic, UInt64(exampleCount), UInt64(dimension), UInt64(unresolvedCount)])
        append([damping.bitPattern, meanEigenvalue.bitPattern])
        reciprocals.copy.map { $0.bitPattern.littleEndian }.withUnsafeBytes { bytes.append(contentsOf: $0) }
        for row in 0..<dimension { append(factor.row(row).map(\.bitPattern)) }
        append([bytes.withUnsafeBytes { Checksum.of($0) }])
        return bytes
    }

    /// A kernel that was kept. They say of how many examples and dimensions it is; that it is of these rows is for the caller to know.
    /// - Throws: `TRAKError.damaged` where they are of something else, too few or too many, or changed.
    public init(decoding bytes: UnsafeRawBufferPointer, exampleCount: Int, dimension: Int) throws(TRAKError) {
        func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        func number(_ offset: Int) -> Double { Double(bitPattern: word(offset)) }
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(TRAKError) {
            guard condition else { throw .damaged(reason: reason()) }
        }
        try require(bytes.count >= Self.headerLength + 8 && word(0) == Self.magic, "they do not begin as one does")
        try require(
            exampleCount > 0 && dimension > 0 && word(8) == UInt64(exampleCount) && word(16) == UInt64(dimension),
            "it is of \(word(8)) examples and \(word(16)) dimensions, and not of \(exampleCount) and \(dimension)")
        let length = Self.encodedByteCount(exampleCount: exampleCount, dimension: dimension)
        try require(bytes.count == length, "\(exampleCount) examples and \(dimension) dimensions don't take \(bytes.count) bytes")
        let end = bytes.count - 8
        try require(word(end) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])), "the checksum is another")
        let reciprocals = AlignedMemory<Float>(uninitialized: exampleCount)
        for i in 0..<exampleCount {
            let bits = bytes.loadUnaligned(fromByteOffset: Self.headerLength + 4 * i, as: UInt32.self)
            reciprocals.start[i] = Float(bitPattern: UInt32(littleEndian: bits))
        }
        let triangle = Self.headerLength + 4 * exampleCount
        let numbers = (0..<(end - triangle) / 8).lazy.map { number(triangle + 8 * $0) }
        try require(
            reciprocals.elements.allSatisfy { $0 >= 0 && $0.isFinite } && numbers.allSatisfy(\.isFinite)
                && (0..<dimension).allSatisfy { number(triangle + 4 * $0 * ($0 + 1) + 8 * $0) > 0 }
                && word(24) <= word(8) && [32, 40].allSatisfy { number($0) >= 0 && number($0).isFinite },
            "there are numbers among them that no kernel has")
        self.init(
            damping: number(32), meanEigenvalue: number(40), unresolvedCount: Int(word(24)), reciprocals: reciprocals,
            factor: DoubleCholeskyFactor(lowerTriangle: numbers, order: dimension))
    }

    /// The same of an array.
    /// - Throws: as there.
    public init(decoding bytes: [UInt8], exampleCount: Int, dimension: Int) throws(TRAKError) {
        let result: Result<TRAKKernel, TRAKError> = bytes.withUnsafeBytes { bytes in
            do throws(TRAKError) {
                return .success(try TRAKKernel(decoding: bytes, exampleCount: exampleCount, dimension: dimension))
            } catch { return .failure(error) }
        }
        self = try result.get()
    }
}
