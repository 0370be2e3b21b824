import Formats
import Foundation
import Testing

@Suite("gzip")
struct GzipTests {
    private func decompress(_ bytes: Data, limit: Int = 1 << 20) throws -> Data {
        try Gzip.decompress(bytes, limit: limit, file: "f.gz")
    }

    @Test("one member and several are decompressed, empty ones too")
    func members() throws {
        let (a, b) = (Data("influence ".utf8), Data("functions".utf8))
        #expect(try decompress(Compression.gzip(a)) == a)
        #expect(try decompress(Compression.gzip(a) + Compression.gzip(b)) == a + b)
        #expect(try decompress(Compression.gzip(Data())) == Data())
        #expect(try decompress(Compression.gzip(a) + Compression.gzip(Data()) + Compression.gzip(b)) == a + b)
        #expect(try decompress(Samples.data(Samples.gzipped)).count == 152)
    }

    @Test("the output may fill the limit and not pass it, over members together")
    func limit() throws {
        let zeros = Data(count: 1_000_000)
        let file = Compression.gzip(Compression.zeros(zeros.count), checksum: Compression.checksum(zeros), byteCount: zeros.count)
        #expect(try decompress(file, limit: 1_000_000) == zeros)
        let error = #expect(throws: FormatError.self) { try decompress(file, limit: 999_999) }
        #expect(error?.description == "f.gz: the compressed data expands to more than 999999 bytes")
        #expect(throws: FormatError.self) { try decompress(file + file, limit: 1_999_999) }
        #expect(try decompress(file + file, limit: 2_000_000).count == 2_000_000)
        #expect(throws: FormatError.self) { try decompress(file, limit: 0) }
    }

    @Test("wrong checksums and lengths, garbage behind the end and other data are refused")
    func wrong() throws {
        let data = Data("influence".utf8)
        let deflated = Compression.stored(data)
        let checksum = Compression.checksum(data)
        let wrongChecksum = #expect(throws: FormatError.self) {
            try decompress(Compression.gzip(deflated, checksum: checksum ^ 1, byteCount: 9))
        }
        #expect(wrongChecksum?.reason == "the compressed data is damaged (incorrect data check)")
        #expect(throws: FormatError.self) { try decompress(Compression.gzip(deflated, checksum: checksum, byteCount: 8)) }
        let trailing = #expect(throws: FormatError.self) { try decompress(Compression.gzip(data) + Data(count: 5)) }
        #expect(trailing?.reason == "5 bytes follow the end of the compressed data")
        #expect(throws: FormatError.self) { try decompress(Compression.gzip(data) + [0x1F]) }
        #expect(throws: FormatError.self) { try decompress(Compression.gzip(data) + [0x1F, 0x8B]) }
        #expect(throws: FormatError.self) { try decompress(data) }
        #expect(throws: FormatError.self) { try decompress(Data()) }
    }

    @Test("every truncation is refused, and a flipped bit gives an error or the same bytes")
    func damage() throws {
        let file = try Samples.data(Samples.gzipped)
        let contents = try decompress(file)
        for count in 0..<file.count {
            #expect(throws: FormatError.self) { try decompress(file.prefix(count)) }
        }
        for bit in 0..<(file.count * 8) {
            var damaged = file
            damaged[bit / 8] ^= 1 << (bit % 8)
            if let read = try? decompress(damaged) { #expect(read == contents, "bit \(bit)") }
        }
    }
}
