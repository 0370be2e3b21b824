import CZlib
import Foundation

/// A ZIP archive (PKWARE's APPNOTE 6.3.10): members found by the central directory, stored or deflated.
///
/// Stricter than most readers, since an archive of arrays needs none of the rest: one disk, nothing before or between the parts,
/// no encryption, no two members of one name or sharing bytes.
struct ZipArchive: Sendable {
    struct Member: Sendable {
        let name: String
        let isDeflated: Bool
        let checksum: UInt32
        let byteCount: Int
        /// Where the compressed bytes are.
        var range: Range<Int>
    }

    let bytes: Data
    let file: String
    /// In the order of the directory.
    let members: [Member]

    /// Whether the bytes begin as an archive with members does.
    static func isArchive(_ bytes: Data) -> Bool { bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

    init(_ bytes: Data, file: String) throws(FormatError) {
        self.bytes = bytes
        self.file = file
        let directory = try ZipDirectory(locatedIn: bytes, file: file)
        self.members = try directory.members(of: bytes)
    }

    /// The bytes of a member, checked against its checksum; not copied if it is stored.
    /// - Parameters:
    ///   - limit: the most bytes it may have.
    ///   - bound: told the first bytes, how many there are at most if they are right; see ``Inflation``. If there are more, those
    ///     that are returned are not checked.
    func contents(
        of member: Member, limit: Int, bound: (Data) -> Int = { _ in .max }
    ) throws(FormatError) -> Data {
        func error(_ reason: String) -> FormatError { FormatError(file: file, part: member.name, reason: reason) }
        guard member.byteCount <= limit else { throw error("it has \(member.byteCount) bytes; at most \(limit) are read") }
        let start = bytes.startIndex + member.range.lowerBound
        var contents = bytes[start..<start + member.range.count]
        if member.isDeflated {
            do throws(Inflation.Failure) {
                let inflated = try Inflation.inflate(contents, .none, limit: member.byteCount, bound: bound)
                guard inflated.isWhole else { return inflated.bytes }
                contents = inflated.bytes
            } catch {
                throw FormatError(file: file, part: member.name, reason: error.reason(limit: member.byteCount))
            }
        }
        guard contents.count == member.byteCount else {
            throw error("it has \(contents.count) bytes, but the archive's directory says \(member.byteCount)")
        }
        let checksum = contents.withUnsafeBytes {
            UInt32(truncatingIfNeeded: crc32_z(0, $0.assumingMemoryBound(to: UInt8.self).baseAddress, $0.count))
        }
        guard checksum == member.checksum else { throw error("its checksum is wrong: the archive is damaged") }
        return contents
    }
}
