import Formats
import Foundation
import Testing

@Suite(".npz")
struct NumpyArchiveTests {
    private let array = npy(header("|u1", "(3,)"), Data([7, 8, 9]))

    private func read(_ bytes: Data, _ name: String = "a") throws -> [Int] {
        try NumpyArchive(bytes, file: "f.npz").tensor(named: name).integers()
    }

    @Test("archives that NumPy wrote are read, stored and deflated")
    func written() throws {
        let deflated = try NumpyArchive(Samples.data(Samples.deflatedArchive), file: "f")
        #expect(deflated.names == ["x", "t"])
        #expect(try deflated.tensor(named: "x").floats() == [0, 1, 2, 3, 4, 5])
        #expect(try deflated.tensor(named: "x").shape == [2, 3])
        #expect(try deflated.tensor(named: "t").integers() == [3, -1, 7])
        let stored = try NumpyArchive(Samples.data(Samples.storedArchive), file: "f")
        #expect(try stored.tensor(named: "x").floats() == [0, 1, 2, 3, 4, 5])
        let error = #expect(throws: FormatError.self) { try deflated.tensor(named: "y") }
        #expect(error?.description == "f: y: there is no array of this name; there are: x, t")
    }

    @Test("a comment, the 64-bit records and names outside ASCII are understood")
    func variants() throws {
        var writer = ZipWriter([ZipWriter.Member("é.npy", array), ZipWriter.Member("readme", Data("x".utf8))])
        #expect(try read(writer.bytes, "é") == [7, 8, 9])
        writer.comment = "made by hand PK\u{5}\u{6} and more than twenty-two characters"
        #expect(try read(writer.bytes, "é") == [7, 8, 9])
        writer.comment = ""
        writer.usesZip64 = true
        #expect(try read(writer.bytes, "é") == [7, 8, 9])
        #expect(throws: FormatError.self) { try read(writer.bytes, "readme") }
        #expect(try NumpyArchive(writer.bytes, file: "f").names == ["é", "readme"])
        writer.memberCount = .max
        #expect(throws: FormatError.self) { try read(writer.bytes, "é") }
        writer.memberCount = nil
        for offset in [UInt64.max, 1 << 63, 1 << 40, 0, 1] {
            writer.directoryOffset = offset
            #expect(throws: FormatError.self) { try read(writer.bytes, "é") }
        }
    }

    @Test("a good member with one thing wrong about it is refused")
    func wrongMembers() throws {
        let good = ZipWriter.Member("a.npy", array)
        #expect(try read(ZipWriter([good]).bytes) == [7, 8, 9])
        let changes: [(String, (inout ZipWriter.Member) -> Void)] = [
            ("checksum", { $0.checksum ^= 1 }), ("encrypted", { $0.flags = 1 }), ("method", { $0.method = 12 }),
            ("name", { $0.localName = "b.npy" }),
            ("stored", { $0.byteCount += 1 }), ("offset", { $0.offset = 5 }), ("offset", { $0.offset = .max }),
            ("offset", { $0.offset = .max - 1 }),
            ("size", { $0.byteCount = .max }), ("size", { $0.byteCount = 1 << 62 }),
        ]
        for (what, change) in changes {
            var member = good
            change(&member)
            #expect(throws: FormatError.self, "\(what)") { try read(ZipWriter([member]).bytes) }
        }
        #expect(throws: FormatError.self) { try NumpyArchive(ZipWriter([good, good]).bytes, file: "f") }
        #expect(throws: FormatError.self) { try NumpyArchive(ZipWriter([good, ZipWriter.Member("a", array)]).bytes, file: "f") }
        var overlapping = ZipWriter.Member("b.npy", array)
        overlapping.offset = 0
        overlapping.localName = "b.npy"
        #expect(throws: FormatError.self) { try NumpyArchive(ZipWriter([good, overlapping]).bytes, file: "f") }
        #expect(throws: FormatError.self) { try read(Data([1]) + ZipWriter([good]).bytes) }
        #expect(throws: FormatError.self) { try read(ZipWriter([good]).bytes + [1]) }
        for count in [0, 2, 65535] as [UInt64] {
            var writer = ZipWriter([good])
            writer.memberCount = count
            #expect(throws: FormatError.self) { try NumpyArchive(writer.bytes, file: "f") }
        }
        #expect(throws: FormatError.self) { try read(ZipWriter([]).bytes) }
    }

    @Test("members that share bytes are refused")
    func overlaps() {
        // The second local header stands inside the first member's data, and is a right one.
        let inner = ZipWriter([ZipWriter.Member("b.npy", array)]).bytes.prefix(30 + 5 + array.count)
        var second = ZipWriter.Member("b.npy", array)
        second.offset = 30 + 5
        second.contents = array
        let first = ZipWriter.Member("a.npy", inner)
        let error = #expect(throws: FormatError.self) { try NumpyArchive(ZipWriter([first, second]).bytes, file: "f") }
        #expect(error?.reason.contains("share bytes") == true)
    }

    @Test("a deflated member that is bigger or smaller than declared, or beyond the limit, is refused")
    func bombs() throws {
        func archive(_ deflated: Data, byteCount: UInt64, _ checksum: UInt32 = 0) -> Data {
            var member = ZipWriter.Member("a.npy", deflated)
            member.method = 8
            member.byteCount = byteCount
            member.checksum = checksum
            return ZipWriter([member]).bytes
        }
        #expect(
            try read(archive(Compression.stored(array), byteCount: UInt64(array.count), Compression.checksum(array))) == [
                7, 8, 9,
            ])
        func reason(_ bytes: Data, limit: Int = 1 << 30) -> String? {
            #expect(throws: FormatError.self) { try NumpyArchive(bytes, file: "f").tensor(named: "a", limit: limit) }?.reason
        }
        let bomb = Compression.zeros(200_000)
        #expect(bomb.count < 2_000)
        #expect(reason(archive(bomb, byteCount: 100)) == "the compressed data expands to more than 100 bytes")
        #expect(
            reason(archive(bomb, byteCount: 200_001)) == "it has 200000 bytes, but the archive's directory says 200001")
        #expect(reason(archive(bomb, byteCount: 200_000), limit: 1 << 17) == "it has 200000 bytes; at most 131072 are read")
        #expect(reason(archive(bomb, byteCount: .max - 1)) != nil)
        #expect(reason(archive(bomb, byteCount: 1 << 62), limit: .max)?.hasPrefix("it has 200000 bytes, but") == true)
        #expect(reason(archive(bomb.dropLast(9), byteCount: 200_000)) == "the compressed data is cut off")
        #expect(reason(archive(bomb + [0], byteCount: 200_000)) == "1 bytes follow the end of the compressed data")
    }

    @Test("of a deflated member that can't be the array it begins as, no more is inflated than shows that")
    func largeMembers() {
        func reason(_ start: Data) -> String? {
            // A block that is not the last, and zeros of which the end is missing.
            let count = UInt16(start.count)
            let block = Data([0]) + littleEndian(count) + littleEndian(~count) + start
            var member = ZipWriter.Member("a.npy", block + Compression.zeros(20_000_000).dropLast(9))
            member.method = 8
            member.byteCount = UInt64(20_000_000 + start.count)
            return #expect(throws: FormatError.self) {
                try NumpyArchive(ZipWriter([member]).bytes, file: "f").tensor(named: "a")
            }?.reason
        }
        #expect(reason(npy(header("|u1", "(3,)"))) == "shape [3] of uint8 takes 3 bytes, but more follow the header")
        #expect(reason(Data([1])) == "this is not a .npy file")
        #expect(reason(npy(header("|u1", "(20000000,)"))) == "the compressed data is cut off")
    }

    @Test(
        "every truncation is refused, and a flipped bit gives an error or the same array",
        arguments: [Samples.deflatedArchive, Samples.storedArchive])
    func damage(sample: String) throws {
        let file = try Samples.data(sample)
        for count in 0..<file.count {
            #expect(throws: FormatError.self) { try NumpyArchive(file.prefix(count), file: "f") }
        }
        for bit in 0..<(file.count * 8) {
            var damaged = file
            damaged[bit / 8] ^= 1 << (bit % 8)
            guard let archive = try? NumpyArchive(damaged, file: "f"), let tensor = try? archive.tensor(named: "x") else {
                continue
            }
            #expect(try tensor.shape == [2, 3] && tensor.floats() == [0, 1, 2, 3, 4, 5], "bit \(bit)")
        }
    }
}
