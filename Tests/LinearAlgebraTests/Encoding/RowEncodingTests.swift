import LinearAlgebra
import TestSupport
import Testing

@Suite("row encodings")
struct RowEncodingTests {
    /// Around the vector registers, the blocks of 128, and the parts of 1,024.
    static let widths = [1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 255, 257, 1000, 1024, 1025]

    /// Numbers of all sizes, the ends of every range among them.
    static func numbers(_ count: Int, _ encoding: RowEncoding) -> [Float] {
        var random = SeededNumbers(UInt64(count))
        let scales: [Double] = [1, 1e-3, 1e-7, 1e-30, 1e-40, 2e4]
        var numbers = (0..<count).map { Float(random.normal() * scales[$0 / 128 % 6]) }
        let ends: [Float] =
            encoding == .float16
            ? [0, -0.0, 65_504, -65_519.996, 0x1p-14, 0x1p-24, 0x1p-25, 0x1.000002p-25, 2049, 2051, -1023.75, 6.1e-5]
            : [0, -0.0, 3.38e38, -0x1p-126, .leastNonzeroMagnitude, 257, 259, -1.00390625, 1.01171875]
        for (i, value) in ends.enumerated() where i < count { numbers[(i * 37) % count] = value }
        return numbers
    }

    @Test("float32 keeps every bit", arguments: widths)
    func float32(width: Int) throws {
        let rows = Self.numbers(3 * width, .float32)
        let decoded = try Encoded(rows, width: width, .float32).decoded()
        #expect(decoded.map(\.bitPattern) == rows.map(\.bitPattern))
    }

    @Test("float16 rounds to nearest even and is as close as it says", arguments: widths)
    func float16(width: Int) throws {
        let rows = Self.numbers(3 * width, .float16)
        let decoded = try Encoded(rows, width: width, .float16).decoded()
        #expect(decoded.map(\.bitPattern) == rows.map { Float(Float16($0)).bitPattern })
        for (x, y) in zip(rows, decoded) { #expect(abs(y - x) <= max(0x1p-11 * abs(x), 0x1p-25)) }
    }

    @Test("bfloat16 rounds to nearest even and is as close as it says", arguments: widths)
    func bfloat16(width: Int) throws {
        let rows = Self.numbers(3 * width, .bfloat16)
        let decoded = try Encoded(rows, width: width, .bfloat16).decoded()
        for (x, y) in zip(rows, decoded) {
            // The nearer of its two neighbours, and of two as near the even one.
            let below = Float(bitPattern: x.bitPattern & 0xffff_0000)
            let above = Float(bitPattern: (x.bitPattern & 0xffff_0000) + 0x1_0000)
            let (down, up) = (abs(Double(x) - Double(below)), abs(Double(above) - Double(x)))
            let isEven = below.bitPattern >> 16 & 1 == 0
            #expect(y.bitPattern == (down < up || (down == up && isEven) ? below : above).bitPattern)
            #expect(abs(Double(y) - Double(x)) <= max(0x1p-8 * abs(Double(x)), 0x1p-134))
        }
    }

    @Test("int8 is within half a step of its block", arguments: widths)
    func int8(width: Int) throws {
        let rows = Self.numbers(3 * width, .int8)
        let encoded = try Encoded(rows, width: width, .int8)
        let decoded = try encoded.decoded()
        let stride = try RowEncoding.int8.rowByteCount(width: width)
        for row in 0..<3 {
            for start in Swift.stride(from: 0, to: width, by: RowEncoding.blockLength) {
                let block = row * width + start..<row * width + min(width, start + RowEncoding.blockLength)
                let largest = Double(rows[block].map { abs($0) }.max() ?? 0)
                for i in block {
                    let error = abs(Double(decoded[i]) - Double(rows[i]))
                    // A scale below the normal numbers is itself rounded up to a whole number of the smallest.
                    #expect(error <= largest / 254 * (1 + 1e-6) + largest * 1e-7 + 0x1p-149)
                    let byte = Int8(bitPattern: encoded.bytes[row * stride + i - row * width])
                    #expect(byte != -128)
                    if rows[i] == 0 { #expect(byte == 0) }
                }
            }
            for pad in width..<(width + 3) / 4 * 4 { #expect(encoded.bytes[row * stride + pad] == 0) }
        }
    }

    @Test("int8 keeps whole numbers up to 127 exactly, ties go to even, and blocks of zeros stay zeros")
    func int8Exactly() throws {
        let whole = (0..<255).map { Float($0 - 127) } + [127]
        #expect(try Encoded(whole, width: 256, .int8).decoded() == whole)
        let ties: [Float] = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5]
        #expect(try Encoded(ties, width: 8, .int8).decoded() == [127, 0, 2, 2, 0, -2, -2, 126])
        let zeros = [Float](repeating: 0, count: 130) + [1]
        let encoded = try Encoded(zeros, width: 131, .int8)
        #expect(try encoded.decoded() == zeros)
        #expect(encoded.bytes[132..<136] == [0, 0, 0, 0], "the scale of zeros")
        for magnitude in [Float.greatestFiniteMagnitude, .greatestFiniteMagnitude.nextDown, 3.3e38] {
            let decoded = try Encoded([magnitude, -magnitude, magnitude / 2], width: 3, .int8).decoded()
            #expect(decoded.allSatisfy { $0.isFinite })
            #expect(abs(decoded[0] / magnitude - 1) < 1e-6)
            #expect(decoded[1] == -decoded[0])
        }
    }

    @Test("every vector unit gives the same bytes and decodes them to the same bits")
    func units() async {
        await #expect(processExitsWith: .success) {
            for width in [1, 17, 128, 130, 1025] {
                for encoding in RowEncoding.allCases {
                    let rows = RowEncodingTests.numbers(3 * width, encoding)
                    #expect(VectorUnit.use("baseline"))
                    let encoded = try Encoded(rows, width: width, encoding)
                    let decoded = try encoded.decoded()
                    for unit in ["AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                        let again = try Encoded(rows, width: width, encoding)
                        #expect(again.bytes == encoded.bytes)
                        let decodedAgain = try again.decoded()
                        #expect(decodedAgain.map(\.bitPattern) == decoded.map(\.bitPattern))
                    }
                }
            }
        }
    }

    @Test("every unit reads all of the 65,536 numbers of 16 bits, those beyond the finite ones too")
    func halves() async {
        await #expect(processExitsWith: .success) {
            let halves = (0..<65_536).map { UInt16($0) }
            for unit in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                // One by one, and a register at a time.
                for width in [65_536, 1] {
                    var floats = [Float](repeating: 0, count: 65_536)
                    try halves.withUnsafeBytes { bytes in
                        guard let start = bytes.baseAddress else { return }
                        try RowEncoding.float16.decode(start, count: 65_536 / width, width: width, into: &floats)
                    }
                    for (half, float) in zip(halves, floats) {
                        let expected = Float(Float16(bitPattern: half))
                        #expect(expected.isNaN ? float.isNaN : float.bitPattern == expected.bitPattern)
                    }
                }
            }
        }
    }

    @Test("rows take as many bytes as is said, less than 4 % more than their elements where blocks are whole")
    func sizes() throws {
        #expect(try RowEncoding.float32.rowByteCount(width: 10) == 40)
        #expect(try RowEncoding.float16.rowByteCount(width: 11) == 22)
        #expect(try RowEncoding.bfloat16.rowByteCount(width: 11) == 22)
        #expect(try RowEncoding.int8.rowByteCount(width: 128) == 132)
        #expect(try RowEncoding.int8.rowByteCount(width: 129) == 140)
        #expect(try RowEncoding.int8.rowByteCount(width: 4096) == 4224)
        #expect(try RowEncoding.int8.byteCount(rows: 3, width: 129) == 420)
        #expect(try RowEncoding.int8.byteCount(rows: 0, width: 129) == 0)
        for blocks in 1..<50 {
            let bytes = try RowEncoding.int8.rowByteCount(width: 128 * blocks)
            #expect(Double(bytes) < 1.04 * Double(128 * blocks))
        }
    }

    @Test("sizes that make no sense are errors", arguments: RowEncoding.allCases)
    func badSizes(encoding: RowEncoding) {
        for width in [0, -1, .min, .max, .max / 2, .max / 4 + 1] where encoding != .int8 || width != .max / 4 + 1 {
            #expect(throws: EncodingError.self) { try encoding.rowByteCount(width: width) }
        }
        for (rows, width) in [(-1, 4), (.max, 4), (1 << 40, 1 << 40), (.min, 1)] {
            #expect(throws: EncodingError.self) { try encoding.byteCount(rows: rows, width: width) }
        }
        let row: [Float] = [1]
        var byte: UInt8 = 0
        #expect(throws: EncodingError.self) { try encoding.encode(rows: row, count: -1, width: 1, into: &byte) }
        #expect(throws: EncodingError.self) { try encoding.encode(rows: row, count: 1, width: 0, into: &byte) }
        #expect(byte == 0)
    }

    @Test("numbers that are not finite are refused, with the row's name", arguments: RowEncoding.allCases)
    func notFinite(encoding: RowEncoding) throws {
        for value in [Float.infinity, -.infinity, .nan, -.signalingNaN] {
            for place in [0, 20, 32] {
                var rows = [Float](repeating: 1, count: 3 * 33)
                rows[2 * 33 + place] = value
                #expect(throws: EncodingError.notFinite(row: 2)) { try Encoded(rows, width: 33, encoding) }
                var memory = [UInt8](repeating: 0, count: try encoding.byteCount(rows: 3, width: 33))
                #expect(throws: EncodingError.notFinite(row: 102)) {
                    try encoding.encode(rows: rows, count: 3, width: 33, into: &memory, firstRow: 100)
                }
            }
        }
    }

    @Test("numbers beyond the range are refused, with what would hold them")
    func beyondRange() throws {
        func error(_ value: Float, _ encoding: RowEncoding) -> EncodingError? {
            do {
                _ = try Encoded([1, 2, 3, value], width: 2, encoding)
                return nil
            } catch {
                return error as? EncodingError
            }
        }
        #expect(error(-65_520, .float16) == .beyondRange(row: 1, magnitude: 65_520, encoding: .float16, heldBy: .bfloat16))
        #expect(error((65_520 as Float).nextDown, .float16) == nil)
        #expect(error(3.4e38, .float16) == .beyondRange(row: 1, magnitude: 3.4e38, encoding: .float16, heldBy: .float32))
        let limit = Float(bitPattern: 0x7f7f_8000)
        #expect(error(-limit, .bfloat16) == .beyondRange(row: 1, magnitude: limit, encoding: .bfloat16, heldBy: .float32))
        #expect(error(limit.nextDown, .bfloat16) == nil)
        #expect(error(.greatestFiniteMagnitude, .float32) == nil)
        #expect(error(.greatestFiniteMagnitude, .int8) == nil)
        let text = error(70_000, .float16)?.description
        #expect(text == "row 1 holds a number of magnitude 70000.0, beyond the range of float16; bfloat16 holds it")
    }
}
