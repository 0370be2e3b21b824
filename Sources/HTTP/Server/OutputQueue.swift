import Sockets

/// What is to be written to a connection, in order, and how far that has come.
struct OutputQueue {
    private var pieces: [[UInt8]] = []
    /// How much of the first piece has been written.
    private var offset = 0
    /// Pieces up to this size are put together: copying them costs less than another system call.
    private static let mergedBytes = 16_384

    /// Whether all has been written.
    var isEmpty: Bool { pieces.isEmpty }

    /// Adds `octets` at the end.
    mutating func append(_ octets: [UInt8]) {
        guard !octets.isEmpty else { return }
        if let last = pieces.last, last.count + octets.count <= Self.mergedBytes {
            pieces[pieces.count - 1].append(contentsOf: octets)
        } else {
            pieces.append(octets)
        }
    }

    /// What ``write(to:atMost:)`` came to.
    struct Progress {
        /// The octets that the kernel took.
        var written = 0
        /// Whether the kernel takes no more at present.
        var isBlocked = false
    }

    /// Writes as much as `socket` takes, and at most about `limit` octets.
    mutating func write(to socket: borrowing StreamSocket, atMost limit: Int) throws(SocketError) -> Progress {
        var progress = Progress()
        while let first = pieces.first, progress.written < limit {
            let more = pieces.count > 1
            let count = min(first.count - offset, limit - progress.written)
            let transfer = try first.span.bytes.extracting(offset..<(offset + count)).withUnsafeBytes {
                (octets) throws(SocketError) in try socket.send(octets, more: more)
            }
            guard case .moved(let moved) = transfer else {
                progress.isBlocked = true
                return progress
            }
            progress.written += moved
            offset += moved
            if offset == first.count {
                pieces.removeFirst()
                offset = 0
            }
        }
        return progress
    }
}
