internal import LinearAlgebra

// As bytes, all little-endian: a mark, the examples and the number of blocks; then each block, its kind and sizes in 64 bits each and its
// numbers in single precision.
extension EKFAC {
    /// The bytes' first eight: "EKFAC", two zeros and the version.
    private static let mark: UInt64 = 0x01_0000_4341_464b_45
    private static let (diagonal, kronecker): (UInt64, UInt64) = (0, 1)
    /// What stands for no biases.
    private static let none = UInt64.max

    /// As bytes, to be kept.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount + 24 + 48 * blocks.count)
        func append(_ words: [UInt64]) { words.map(\.littleEndian).withUnsafeBytes { bytes.append(contentsOf: $0) } }
        func append(_ numbers: AlignedMemory<Float>) {
            numbers.elements.map { $0.bitPattern.littleEndian }.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        append([Self.mark, UInt64(exampleCount), UInt64(blocks.count)])
        for block in blocks {
            switch block {
            case .diagonal(let offset, let values):
                append([Self.diagonal, UInt64(offset), UInt64(values.count)])
                append(values)
            case .kronecker(let block):
                append([
                    Self.kronecker, UInt64(block.outputs), UInt64(block.inputs), UInt64(block.weights),
                    block.biases.map { UInt64($0) } ?? Self.none,
                ])
                append(block.inputVectors)
                append(block.outputVectors)
                append(block.eigenvalues)
            }
        }
        return bytes
    }

    /// From the bytes of `encoded`.
    /// - Throws: `EKFACFlaw` where they end too early or too late, or are no approximation's.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(EKFACFlaw) {
        var reader = Reader(bytes)
        guard try reader.word() == Self.mark else { throw EKFACFlaw("the bytes do not begin as an approximation's do") }
        let examples = try reader.count()
        let count = try reader.count()
        var blocks: [CurvatureBlock] = []
        for _ in 0..<count {
            switch try reader.word() {
            case Self.diagonal:
                let (offset, length) = (try reader.count(), try reader.count())
                blocks.append(.diagonal(offset: offset, values: try reader.numbers(1, length)))
            case Self.kronecker:
                let (outputs, inputs, weights) = (try reader.count(), try reader.count(), try reader.count())
                let place = try reader.word()
                let biases = place == Self.none ? nil : try Reader.count(place)
                let order = inputs + (biases == nil ? 0 : 1)
                guard outputs > 0, inputs > 0 else { throw EKFACFlaw("a block has no weights") }
                blocks.append(
                    .kronecker(
                        KroneckerBlock(
                            outputs: outputs, inputs: inputs, weights: weights, biases: biases,
                            inputVectors: try reader.numbers(order, order), outputVectors: try reader.numbers(outputs, outputs),
                            eigenvalues: try reader.numbers(outputs, order))))
            case let kind: throw EKFACFlaw("there is no block of kind \(kind)")
            }
        }
        guard reader.isAtEnd else { throw EKFACFlaw("there are bytes behind the last block") }
        try self.init(blocks: blocks, exampleCount: examples)
    }

    /// The same of an array.
    /// - Throws: `EKFACFlaw`.
    public init(decoding bytes: [UInt8]) throws(EKFACFlaw) {
        let result: Result<EKFAC, EKFACFlaw> = bytes.withUnsafeBytes { bytes in
            do throws(EKFACFlaw) { return .success(try EKFAC(decoding: bytes)) } catch { return .failure(error) }
        }
        self = try result.get()
    }

    /// Takes words and numbers off the front of bytes.
    private struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private var position = 0

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        mutating func word() throws(EKFACFlaw) -> UInt64 {
            guard bytes.count - position >= 8 else { throw EKFACFlaw("the bytes end too early") }
            defer { position += 8 }
            return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        }

        /// A size or an offset: below 2⁴⁰, so that sums of a few never overflow.
        mutating func count() throws(EKFACFlaw) -> Int { try Self.count(word()) }

        static func count(_ word: UInt64) throws(EKFACFlaw) -> Int {
            guard word < 1 << 40 else { throw EKFACFlaw("\(word) is no size") }
            return Int(word)
        }

        mutating func numbers(_ rows: Int, _ columns: Int) throws(EKFACFlaw) -> AlignedMemory<Float> {
            let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
            guard !overflow, count <= (bytes.count - position) / 4 else { throw EKFACFlaw("the bytes end too early") }
            let numbers = AlignedMemory<Float>(uninitialized: count)
            for i in 0..<count {
                let word = bytes.loadUnaligned(fromByteOffset: position + 4 * i, as: UInt32.self)
                numbers.start[i] = Float(bitPattern: UInt32(littleEndian: word))
            }
            position += 4 * count
            return numbers
        }
    }
}
