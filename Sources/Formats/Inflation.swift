import CZlib
import Foundation

/// Inflates compressed bytes through zlib, never beyond a limit.
enum Inflation {
    /// What stands around the deflated bytes, as zlib's `windowBits` says it.
    enum Container: Int32 {
        /// Nothing (RFC 1951), as inside a ZIP archive.
        case none = -15
        /// A gzip header and checksum (RFC 1952); several such members may follow each other.
        case gzip = 31
    }

    /// Why the bytes could not be inflated.
    enum Failure: Error {
        case truncated
        case corrupt(String)
        case overLimit
        case trailing(Int)
        case outOfMemory

        /// A sentence for the user.
        func reason(limit: Int) -> String {
            switch self {
            case .truncated: "the compressed data is cut off"
            case .corrupt(let message): "the compressed data is damaged (\(message))"
            case .overLimit: "the compressed data expands to more than \(limit) bytes"
            case .trailing(let count): "\(count) bytes follow the end of the compressed data"
            case .outOfMemory: "there is not enough memory to decompress"
            }
        }
    }

    /// What comes out at a time.
    static let chunkByteCount = 256 << 10

    /// The inflated bytes. The output grows with what is really there, whatever any header promises. O(input + output).
    /// - Parameter bound: told the first ``chunkByteCount`` bytes where there are more, and says how many there are at most if the
    ///   contents are right. Nothing more is inflated once there is one too many, so that a small file can't fill the memory.
    /// - Returns: the bytes, and whether they are all; if not, there are more of them than `bound` allows.
    static func inflate(
        _ input: Data, _ container: Container, limit: Int, bound: (Data) -> Int = { _ in .max }
    ) throws(Failure) -> (bytes: Data, isWhole: Bool) {
        let result = input.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try inflate(bytes, container, limit, bound) }
        }
        return try result.get()
    }

    private static func inflate(
        _ input: UnsafeRawBufferPointer, _ container: Container, _ limit: Int, _ bound: (Data) -> Int
    ) throws(Failure) -> (Data, Bool) {
        // zlib keeps a pointer to its stream, so the stream needs an address that stays.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        defer { stream.deallocate() }
        stream.initialize(to: z_stream())
        let streamSize = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, container.rawValue, ZLIB_VERSION, streamSize) == Z_OK else { throw .outOfMemory }
        defer { inflateEnd(stream) }

        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkByteCount, alignment: 16)
        defer { chunk.deallocate() }
        var rest = input[...]
        var output = Data()
        var most: Int?
        while true {
            if stream.pointee.avail_in == 0, !rest.isEmpty {
                // zlib counts its input in 32 bits.
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
                rest = rest.dropFirst(piece.count)
                stream.pointee.next_in = UnsafeMutablePointer(mutating: piece.assumingMemoryBound(to: UInt8.self).baseAddress)
                stream.pointee.avail_in = UInt32(piece.count)
            }
            stream.pointee.next_out = chunk.assumingMemoryBound(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(chunk.count)
            let status = CZlib.inflate(stream, Z_NO_FLUSH)
            let produced = chunk.count - Int(stream.pointee.avail_out)
            guard produced <= limit - output.count else { throw .overLimit }
            output.append(contentsOf: chunk[..<produced])
            if most == nil, output.count > chunkByteCount { most = bound(output.prefix(chunkByteCount)) }
            if let most, output.count > most { return (output, false) }
            let remaining = Int(stream.pointee.avail_in) + rest.count
            switch status {
            case Z_STREAM_END:
                if remaining == 0 { return (output, true) }
                guard container == .gzip, Gzip.isGzip(input.suffix(remaining)), inflateReset(stream) == Z_OK else {
                    throw .trailing(remaining)
                }
            case Z_OK: continue
            case Z_BUF_ERROR where remaining == 0: throw .truncated
            case Z_BUF_ERROR: continue
            case Z_MEM_ERROR: throw .outOfMemory
            default: throw .corrupt(stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)")
            }
        }
    }
}
