internal import Glibc
internal import Logging

/// The thread of a ``LogSink``: takes records, makes lines, writes them.
struct LogWriter {
    private static let bufferSize = 64 << 10

    private let descriptor: Int32
    private var formatter: LogLineFormatter
    private var buffer: [UInt8] = []
    private var bufferedLines = 0
    /// Lines of the batch at hand that could not be written.
    private var unwritten = 0

    /// A writer of lines to `descriptor`.
    init(descriptor: Int32, format: LogFormat) {
        self.descriptor = descriptor
        formatter = LogLineFormatter(format)
    }

    /// Writes what comes out of `queue`, until that is closed.
    mutating func run(_ queue: LogQueue) {
        // Writing to a pipe that nobody reads raises SIGPIPE in the thread that writes, and would end the program. Blocked, it stays
        // pending here, and the write says EPIPE.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        while let batch = queue.next() {
            unwritten = 0
            for record in batch.records { append(record) }
            writeOut()
            let untold = batch.dropped > 0 && !tell(batch.dropped) ? batch.dropped : 0
            queue.finish(batch, unwritten: unwritten, untold: untold)
        }
    }

    private mutating func append(_ record: LogRecord) {
        formatter.append(record, to: &buffer)
        bufferedLines += 1
        if buffer.count >= Self.bufferSize { writeOut() }
    }

    private mutating func writeOut() {
        if !writeAll(buffer) { unwritten += bufferedLines }
        buffer.removeAll(keepingCapacity: buffer.count <= 2 * Self.bufferSize)
        bufferedLines = 0
    }

    /// Says how many records were let go of. Itself, it is not a record, and not counted as one where it can't be written.
    private mutating func tell(_ dropped: Int) -> Bool {
        var line: [UInt8] = []
        let record = LogRecord(
            time: .now(), level: .warning, label: "influenced.log", message: "dropped \(dropped) line\(dropped == 1 ? "" : "s")",
            cost: 0, metadata: { ["dropped": .stringConvertible(dropped)] })
        formatter.append(record, to: &line)
        return writeAll(line)
    }

    /// Writes all of `octets`, waiting as long as it takes; false where the descriptor takes no more, ever or just now for want of
    /// space.
    private func writeAll(_ octets: [UInt8]) -> Bool {
        octets.withUnsafeBytes { octets in
            var rest = octets[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno == EAGAIN {
                    // Somebody has made the file non-blocking; whoever shares our terminal may.
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = Glibc.poll(&poll, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
