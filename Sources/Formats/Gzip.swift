public import Foundation

/// gzip (RFC 1952).
public enum Gzip {
    /// Whether the bytes begin as gzip does.
    static func isGzip(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// The decompressed bytes: of several members one after the other. Checksums and lengths are checked.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - limit: the most bytes it may expand to; memory use stays in proportion to what it does expand to, up to that.
    ///   - file: its name, for errors.
    /// - Throws: where it is not gzip, is damaged or cut off, has anything after its end, or expands beyond the limit.
    public static func decompress(_ bytes: Data, limit: Int, file: String) throws(FormatError) -> Data {
        try decompress(bytes, limit: limit, bound: { _ in .max }, file: file)
    }

    /// As the public function, but ends where contents that are right would have ended; see ``Inflation``.
    static func decompress(
        _ bytes: Data, limit: Int, bound: (Data) -> Int, file: String
    ) throws(FormatError) -> Data {
        guard isGzip(bytes) else {
            throw FormatError(file: file, reason: "this is not gzip: it does not begin with the bytes 1f 8b")
        }
        do throws(Inflation.Failure) {
            return try Inflation.inflate(bytes, .gzip, limit: limit, bound: bound).bytes
        } catch {
            throw FormatError(file: file, reason: error.reason(limit: limit))
        }
    }
}
