import Foundation

extension ZipDirectory {
    /// The members that the directory lists, each with the place of its bytes.
    /// - Throws: where an entry is damaged, asks for what is not supported, shares a name with another, or shares bytes with
    ///   another.
    func members(of bytes: Data) throws(FormatError) -> [ZipArchive.Member] {
        var cursor = ByteCursor(
            bytes.dropFirst(range.lowerBound).prefix(range.count), file: file, part: "directory of the archive")
        var members: [ZipArchive.Member] = []
        var names: Set<String> = []
        var extents: [Range<Int>] = []
        for _ in 0..<memberCount {
            let entry = try Entry(&cursor, file: file)
            guard names.insert(entry.name).inserted else { throw entry.error("two members have this name") }
            let (member, extent) = try locate(entry, in: bytes)
            members.append(member)
            extents.append(extent)
        }
        guard cursor.remaining == 0 else { throw cursor.error("\(cursor.remaining) bytes follow its \(memberCount) entries") }
        // Members that share bytes are how small archives expand without bound.
        extents.sort { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(extents, extents.dropFirst()) where one.upperBound > next.lowerBound {
            throw FormatError(file: file, reason: "two members of the ZIP archive share bytes (at \(next.lowerBound))")
        }
        return members
    }

    /// The place of a member's bytes, behind its local header (APPNOTE 4.3.7), and of header and bytes together.
    private func locate(_ entry: Entry, in bytes: Data) throws(FormatError) -> (ZipArchive.Member, extent: Range<Int>) {
        guard let start = Int(exactly: entry.offset), start < range.lowerBound, let count = Int(exactly: entry.byteCount),
            let compressedCount = Int(exactly: entry.compressedByteCount)
        else { throw entry.error("its sizes or offset are beyond the archive") }
        var cursor = ByteCursor(bytes.dropFirst(start).prefix(range.lowerBound - start), file: file, part: entry.name)
        guard try cursor.littleEndian(UInt32.self, "the local header") == 0x0403_4B50 else {
            throw entry.error("its local header is damaged")
        }
        _ = try cursor.take(22, "the local header")
        let nameLength = Int(try cursor.littleEndian(UInt16.self, "the local header"))
        let extraLength = Int(try cursor.littleEndian(UInt16.self, "the local header"))
        guard try cursor.take(nameLength, "the name").elementsEqual(entry.name.utf8) else {
            throw entry.error("its local header has another name")
        }
        _ = try cursor.take(extraLength, "the extra field")
        let data = start + cursor.offset
        _ = try cursor.take(compressedCount, "the compressed data")
        let member = ZipArchive.Member(
            name: entry.name, isDeflated: entry.method == 8, checksum: entry.checksum, byteCount: count,
            range: data..<data + compressedCount)
        return (member, start..<data + compressedCount)
    }
}

/// One entry of the directory (APPNOTE 4.3.12).
private struct Entry {
    let file: String
    let name: String
    let method: UInt16
    let checksum: UInt32
    let compressedByteCount: UInt64
    let byteCount: UInt64
    let offset: UInt64

    init(_ cursor: inout ByteCursor, file: String) throws(FormatError) {
        guard try cursor.littleEndian(UInt32.self, "an entry") == 0x0201_4B50 else {
            throw cursor.error("an entry has no signature")
        }
        _ = try cursor.take(4, "an entry")
        let flags = try cursor.littleEndian(UInt16.self, "an entry")
        method = try cursor.littleEndian(UInt16.self, "an entry")
        _ = try cursor.take(4, "an entry")
        checksum = try cursor.littleEndian(UInt32.self, "an entry")
        let compressed = try cursor.littleEndian(UInt32.self, "an entry")
        let uncompressed = try cursor.littleEndian(UInt32.self, "an entry")
        let nameLength = Int(try cursor.littleEndian(UInt16.self, "an entry"))
        let extraLength = Int(try cursor.littleEndian(UInt16.self, "an entry"))
        let commentLength = Int(try cursor.littleEndian(UInt16.self, "an entry"))
        let disk = try cursor.littleEndian(UInt16.self, "an entry")
        _ = try cursor.take(6, "an entry")
        let offset = try cursor.littleEndian(UInt32.self, "an entry")
        guard let name = String(validating: try cursor.take(nameLength, "a name"), as: UTF8.self) else {
            throw cursor.error("a name that is not UTF-8")
        }
        let extra = try cursor.take(extraLength, "an extra field")
        _ = try cursor.take(commentLength, "a comment")
        self.file = file
        self.name = name

        var wide = ByteCursor(try Self.zip64(extra, file: file, name: name), file: file, part: name)
        byteCount = uncompressed == .max ? try wide.littleEndian(UInt64.self, "the zip64 size") : UInt64(uncompressed)
        compressedByteCount = compressed == .max ? try wide.littleEndian(UInt64.self, "the zip64 size") : UInt64(compressed)
        self.offset = offset == .max ? try wide.littleEndian(UInt64.self, "the zip64 offset") : UInt64(offset)

        guard flags & 1 == 0 else { throw error("it is encrypted") }
        guard disk == 0 else { throw error("it is on another disk") }
        guard method == 0 || method == 8 else {
            throw error("its compression method \(method) is not supported; stored (0) and deflated (8) are")
        }
        guard method == 8 || byteCount == compressedByteCount else {
            throw error("it is stored, but has \(byteCount) bytes in \(compressedByteCount)")
        }
    }

    /// The content of the zip64 extra field (id 1); empty where there is none.
    private static func zip64(_ extra: Data, file: String, name: String) throws(FormatError) -> Data {
        var cursor = ByteCursor(extra, file: file, part: name)
        while cursor.remaining >= 4 {
            let id = try cursor.littleEndian(UInt16.self, "the extra field")
            let content = try cursor.take(Int(try cursor.littleEndian(UInt16.self, "the extra field")), "the extra field")
            if id == 1 { return content }
        }
        return Data()
    }

    func error(_ reason: String) -> FormatError { FormatError(file: file, part: name, reason: reason) }
}
