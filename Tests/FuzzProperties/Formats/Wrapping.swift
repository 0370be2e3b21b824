import Foundation

/// Puts bytes into the containers that files come in, uncompressed and with right checksums, which no mutation would hit upon.
enum Wrapping {
    /// A gzip member (RFC 1952) of `data`.
    static func gzip(_ data: Data) -> Data {
        var deflated = Data()
        var rest = data[...]
        repeat {
            // A stored block (RFC 1951 §3.2.4) holds up to 65535 bytes.
            let block = rest.prefix(Int(UInt16.max))
            rest = rest.dropFirst(block.count)
            let length = UInt16(block.count)
            deflated += [rest.isEmpty ? 1 : 0] + bytes(length) + bytes(~length) + block
        } while !rest.isEmpty
        return Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]) + deflated + bytes(checksum(data))
            + bytes(UInt32(truncatingIfNeeded: data.count))
    }

    /// A ZIP archive (PKWARE's APPNOTE 6.3.10) with `data` as its only member.
    static func zip(_ data: Data, name: String) -> Data {
        let count = bytes(UInt32(data.count))
        // From the flags on, local header and directory entry are the same.
        let common = Data(count: 2) + Data(count: 6) + bytes(checksum(data)) + count + count + bytes(UInt16(name.utf8.count))
        let local = Data([0x50, 0x4B, 3, 4, 20, 0]) + common + Data(count: 2) + Data(name.utf8) + data
        let entry = Data([0x50, 0x4B, 1, 2, 20, 0, 20, 0]) + common + Data(count: 16) + Data(name.utf8)
        let end = Data([0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0]) + bytes(UInt32(entry.count)) + bytes(UInt32(local.count))
        return local + entry + end + Data(count: 2)
    }

    /// The bytes of an integer, least significant first.
    static func bytes(_ integer: some FixedWidthInteger) -> Data {
        withUnsafeBytes(of: integer.littleEndian) { Data($0) }
    }

    /// CRC-32 as both containers use it.
    private static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(byte) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
}
