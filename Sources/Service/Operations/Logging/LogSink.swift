internal import Dispatch
internal import Foundation
internal import Glibc
internal import Logging

/// Where lines of the log go: to a descriptor, by a thread of its own.
///
/// Logging never waits for the descriptor. While that takes nothing, because a pipe is full or a disk is slow, records wait in a
/// queue of bounded length and size; beyond that they are let go of and counted, and a later line says how many there were.
public final class LogSink: Sendable {
    private let queue: LogQueue

    /// A sink that writes lines of a format.
    ///
    /// - Parameters:
    ///   - descriptor: Where to, standard error unless said. A duplicate is written to, so that closing it, and another file's getting its number, does no harm.
    ///   - format: How lines are written.
    ///   - capacity: Records that may wait.
    public convenience init(descriptor: Int32 = 2, format: LogFormat, capacity: Int = 8_192) {
        self.init(descriptor: descriptor, format: format, capacity: capacity, byteCapacity: 16 << 20)
    }

    init(descriptor: Int32, format: LogFormat, capacity: Int, byteCapacity: Int) {
        let queue = LogQueue(capacity: capacity, byteCapacity: byteCapacity)
        self.queue = queue
        // Where there is no such descriptor the duplicate is -1, which takes nothing: all lines are let go of.
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        let thread = Thread {
            var writer = LogWriter(descriptor: duplicate, format: format)
            writer.run(queue)
            if duplicate >= 0 { close(duplicate) }
        }
        thread.name = "influenced.log"
        thread.start()
    }

    deinit { queue.close() }

    /// Records that were let go of so far. Any thread.
    public var droppedLines: Int { queue.dropped }

    /// Waits until what was logged before has been written, but no longer than `limit`. For the end of the program: the thread that
    /// writes ends with it.
    ///
    /// - Returns: Whether all of it has been dealt with.
    @discardableResult
    public func flush(within limit: Duration = .seconds(1)) -> Bool {
        queue.flush(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1))))
    }

    func append(_ record: LogRecord) { queue.append(record) }
}
