import Foundation

/// Just enough of a compressor to make good and hostile files.
enum Compression {
    /// Deflated data (RFC 1951) that expands to `count` zeros, at least 1, some 160 times as many as its own bytes.
    static func zeros(_ count: Int) -> Data {
        var bits = Bits()
        bits.append(0b1, 1)
        bits.append(0b01, 2)
        bits.appendCode(0x30, 8)
        var rest = count - 1
        while rest >= 258 {
            // Length 258 is symbol 285, the code 11000101; distance 1 is five zeros.
            bits.appendCode(0b1100_0101, 8)
            bits.appendCode(0, 5)
            rest -= 258
        }
        for _ in 0..<rest { bits.appendCode(0x30, 8) }
        bits.appendCode(0, 7)
        return bits.bytes
    }

    /// `data`, of up to 65535 bytes, as one stored block.
    static func stored(_ data: Data) -> Data {
        let count = UInt16(data.count)
        return Data([1]) + littleEndian(count) + littleEndian(~count) + data
    }

    /// CRC-32 as ZIP and gzip use it.
    static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(~0) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
    }

    /// A gzip member of deflated data.
    static func gzip(_ deflated: Data, checksum: UInt32, byteCount: Int) -> Data {
        Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]) + deflated + littleEndian(checksum)
            + littleEndian(UInt32(truncatingIfNeeded: byteCount))
    }

    /// A gzip member of `data`, of up to 65535 bytes.
    static func gzip(_ data: Data) -> Data { gzip(stored(data), checksum: checksum(data), byteCount: data.count) }

    private struct Bits {
        var bytes = Data()
        var count = 0

        /// Least significant bit first.
        mutating func append(_ value: Int, _ width: Int) {
            for bit in 0..<width {
                if count % 8 == 0 { bytes.append(0) }
                if value >> bit & 1 == 1 { bytes[count / 8] |= 1 << (count % 8) }
                count += 1
            }
        }

        /// Huffman codes stand most significant bit first.
        mutating func appendCode(_ code: Int, _ width: Int) {
            for bit in (0..<width).reversed() { append(code >> bit & 1, 1) }
        }
    }
}

/// Makes ZIP archives, right ones unless told otherwise.
struct ZipWriter {
    struct Member {
        var name: String
        var contents: Data
        var method: UInt16 = 0
        var flags: UInt16 = 0
        var checksum: UInt32
        var byteCount: UInt64
        var localName: String
        /// Where the directory says the local header is; nil for where it is.
        var offset: UInt32?

        /// A stored member.
        init(_ name: String, _ contents: Data) {
            self.name = name
            self.contents = contents
            checksum = Compression.checksum(contents)
            byteCount = UInt64(contents.count)
            localName = name
        }
    }

    var members: [Member]
    var usesZip64 = false
    var comment = ""
    var memberCount: UInt64?
    var directoryOffset: UInt64?

    init(_ members: [Member]) { self.members = members }

    var bytes: Data {
        var bytes = Data()
        var directory = Data()
        for member in members {
            let offset = UInt32(bytes.count)
            let sizes = littleEndian(member.checksum) + littleEndian(UInt32(member.contents.count))
            bytes +=
                Data([0x50, 0x4B, 3, 4, 20, 0]) + littleEndian(member.flags) + littleEndian(member.method) + Data(count: 4)
                + sizes
            bytes +=
                littleEndian(UInt32(truncatingIfNeeded: member.byteCount)) + littleEndian(UInt16(member.localName.utf8.count))
                + Data(count: 2)
            bytes += Data(member.localName.utf8) + member.contents
            let isWide = member.byteCount > UInt64(UInt32.max - 1)
            let extra = isWide ? Data([1, 0, 8, 0]) + littleEndian(member.byteCount) : Data()
            directory +=
                Data([0x50, 0x4B, 1, 2, 20, 0, 20, 0]) + littleEndian(member.flags) + littleEndian(member.method) + Data(count: 4)
                + sizes
            directory += littleEndian(isWide ? .max : UInt32(member.byteCount)) + littleEndian(UInt16(member.name.utf8.count))
            directory +=
                littleEndian(UInt16(extra.count)) + Data(count: 10) + littleEndian(member.offset ?? offset)
                + Data(member.name.utf8) + extra
        }
        let count = memberCount ?? UInt64(members.count)
        let start = directoryOffset ?? UInt64(bytes.count)
        let end = bytes.count + directory.count
        bytes += directory
        if usesZip64 {
            bytes +=
                Data([0x50, 0x4B, 6, 6]) + littleEndian(UInt64(44)) + Data(count: 12) + littleEndian(count) + littleEndian(count)
            bytes += littleEndian(UInt64(directory.count)) + littleEndian(start)
            bytes += Data([0x50, 0x4B, 6, 7]) + Data(count: 4) + littleEndian(UInt64(end)) + littleEndian(UInt32(1))
            bytes += Data([0x50, 0x4B, 5, 6]) + Data(count: 4) + Data(repeating: 0xFF, count: 12)
        } else {
            bytes += Data([0x50, 0x4B, 5, 6]) + Data(count: 4) + littleEndian(UInt16(count)) + littleEndian(UInt16(count))
            bytes += littleEndian(UInt32(directory.count)) + littleEndian(UInt32(start))
        }
        return bytes + littleEndian(UInt16(comment.utf8.count)) + Data(comment.utf8)
    }
}
