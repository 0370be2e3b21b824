import Foundation

/// Where an archive's central directory is, and how many members it lists (APPNOTE 4.3.14 to 4.3.16).
struct ZipDirectory {
    let file: String
    /// The bytes of the directory. The members lie before it, the end record behind it.
    let range: Range<Int>
    let memberCount: Int

    /// Finds the directory from the end of the archive.
    init(locatedIn bytes: Data, file: String) throws(FormatError) {
        func error(_ reason: String) -> FormatError {
            FormatError(file: file, reason: "the ZIP archive is damaged or cut off: \(reason)")
        }
        guard let position = EndRecord.position(in: bytes) else { throw error("there is no directory at its end") }
        var record = try EndRecord(bytes, at: position, file: file)
        if record.hasOverflowed { record = try EndRecord(zip64: bytes, before: position, file: file) }
        guard record.disk == 0, record.directoryDisk == 0, record.countHere == record.count else {
            throw FormatError(file: file, reason: "ZIP archives of several disks cannot be read")
        }
        guard
            let start = Int(exactly: record.offset), let length = Int(exactly: record.byteCount),
            let count = Int(exactly: record.count),
            start <= record.position, length == record.position - start
        else {
            let claim = "a directory of \(record.byteCount) bytes at \(record.offset)"
            throw error("\(claim) does not end where its end record is, at \(record.position)")
        }
        // A member takes 46 bytes in the directory and more.
        guard count <= length / 46 else { throw error("its directory has no room for \(count) members") }
        self.file = file
        self.range = start..<start + length
        self.memberCount = count
    }
}

/// The record at the end of an archive that says where the directory is, in its first or its 64-bit form.
private struct EndRecord {
    let position: Int
    let disk: UInt32
    let directoryDisk: UInt32
    let countHere: UInt64
    let count: UInt64
    let byteCount: UInt64
    let offset: UInt64

    private static let byteCount = 22
    private static let locatorByteCount = 20

    /// Whether a field was too small, so that the 64-bit record has the numbers.
    var hasOverflowed: Bool {
        countHere == UInt16.max || count == UInt16.max || byteCount == UInt32.max || offset == UInt32.max
    }

    /// Where the record is: 22 bytes before the end, or a comment's length (up to 65535 bytes) further ahead.
    static func position(in bytes: Data) -> Int? {
        guard bytes.count >= byteCount else { return nil }
        let last = bytes.count - byteCount
        for position in stride(from: last, through: max(0, last - Int(UInt16.max)), by: -1) {
            let record = bytes.dropFirst(position).prefix(byteCount)
            guard record.starts(with: [0x50, 0x4B, 0x05, 0x06]) else { continue }
            let commentLength = Int(record[record.endIndex - 2]) | Int(record[record.endIndex - 1]) << 8
            if commentLength == last - position { return position }
        }
        return nil
    }

    init(_ bytes: Data, at position: Int, file: String) throws(FormatError) {
        var cursor = ByteCursor(bytes.dropFirst(position), file: file, part: "end record of the archive")
        _ = try cursor.take(4, "the signature")
        self.position = position
        disk = UInt32(try cursor.littleEndian(UInt16.self, "the disk"))
        directoryDisk = UInt32(try cursor.littleEndian(UInt16.self, "the disk"))
        countHere = UInt64(try cursor.littleEndian(UInt16.self, "the count"))
        count = UInt64(try cursor.littleEndian(UInt16.self, "the count"))
        byteCount = UInt64(try cursor.littleEndian(UInt32.self, "the directory's size"))
        offset = UInt64(try cursor.littleEndian(UInt32.self, "the directory's offset"))
    }

    /// The 64-bit record, found by its locator, which stands right before the other record.
    init(zip64 bytes: Data, before end: Int, file: String) throws(FormatError) {
        var locator = ByteCursor(
            bytes.dropFirst(max(0, end - Self.locatorByteCount)), file: file, part: "zip64 locator of the archive")
        let signature = try locator.littleEndian(UInt32.self, "the signature")
        let locatorDisk = try locator.littleEndian(UInt32.self, "the disk")
        let offset = try locator.littleEndian(UInt64.self, "the offset")
        guard end >= Self.locatorByteCount, signature == 0x0706_4B50, locatorDisk == 0, let position = Int(exactly: offset),
            position < end
        else {
            throw locator.error("it is missing or damaged")
        }
        var cursor = ByteCursor(bytes.dropFirst(position), file: file, part: "zip64 end record of the archive")
        guard try cursor.littleEndian(UInt32.self, "the signature") == 0x0606_4B50 else {
            throw cursor.error("it is not where its locator says")
        }
        _ = try cursor.take(12, "size and versions")
        self.position = position
        disk = try cursor.littleEndian(UInt32.self, "the disk")
        directoryDisk = try cursor.littleEndian(UInt32.self, "the disk")
        countHere = try cursor.littleEndian(UInt64.self, "the count")
        count = try cursor.littleEndian(UInt64.self, "the count")
        byteCount = try cursor.littleEndian(UInt64.self, "the directory's size")
        self.offset = try cursor.littleEndian(UInt64.self, "the directory's offset")
    }
}
