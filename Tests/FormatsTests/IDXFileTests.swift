import Formats
import Foundation
import Testing

@Suite("idx")
struct IDXFileTests {
    private func file(_ code: UInt8, _ extents: [UInt32], _ data: Data) -> Data {
        extents.reduce(Data([0, 0, code, UInt8(extents.count)])) { $0 + bigEndian($1) } + data
    }

    @Test("every type of idx is read, big-endian turned into little-endian")
    func types() throws {
        let cases: [(UInt8, ElementType, Data, [Double])] = [
            (0x08, .uint8, Data([0, 255]), [0, 255]), (0x09, .int8, Data([0x80, 0x7F]), [-128, 127]),
            (0x0B, .int16, bigEndian(Int16(-2)) + bigEndian(Int16(300)), [-2, 300]),
            (0x0C, .int32, bigEndian(Int32(-3)) + bigEndian(Int32(70000)), [-3, 70000]),
            (0x0D, .float32, bigEndian(Float(1.5).bitPattern) + bigEndian(Float(-2).bitPattern), [1.5, -2]),
            (0x0E, .float64, bigEndian(0.1.bitPattern) + bigEndian((-1e300).bitPattern), [0.1, -1e300]),
        ]
        for (code, type, data, values) in cases {
            let tensor = try IDXFile.decode(file(code, [2, 1], data), file: "f")
            #expect(tensor.elementType == type)
            #expect(tensor.shape == [2, 1])
            #expect(try tensor.doubles() == values)
        }
    }

    @Test("wrong magic numbers, extents beyond the data and sizes beyond all bounds are refused")
    func wrong() {
        let bad = [
            file(0x0A, [1], Data([1])), file(0x08, [], Data([1])), Data([1, 0, 8, 1, 0, 0, 0, 1, 5]),
            Data([0, 1, 8, 1, 0, 0, 0, 1, 5]),
            file(0x08, [2], Data([1])), file(0x08, [1], Data([1, 2])), file(0x0D, [.max, .max, .max], Data([1])),
            file(0x08, [0, .max, .max, 9], Data()),
            file(0x08, [.max], Data(count: 10)),
        ]
        for bytes in bad { #expect(throws: FormatError.self) { try IDXFile.decode(bytes, file: "f") } }
        let error = #expect(throws: FormatError.self) { try IDXFile.decode(file(0x08, [2, 3], Data(count: 7)), file: "f") }
        #expect(error?.description == "f: shape [2, 3] of uint8 takes 6 bytes, but more follow the header")
    }

    @Test("every truncation is refused and no flipped bit crashes the reader")
    func damage() {
        let good = file(0x0B, [2, 3], Data(0..<12))
        for count in 0..<good.count {
            #expect(throws: FormatError.self) { try IDXFile.decode(good.prefix(count), file: "f") }
        }
        for bit in 0..<(good.count * 8) {
            var damaged = good
            damaged[bit / 8] ^= 1 << (bit % 8)
            if let tensor = try? IDXFile.decode(damaged, file: "f") { _ = try? tensor.floats() }
        }
    }
}
