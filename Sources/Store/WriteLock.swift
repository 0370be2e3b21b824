import Foundation
import Glibc

/// Lets one writer at a time into a store, across threads and processes, from the first statement of a transaction to the end of
/// the WAL checkpoint that may follow its commit.
///
/// SQLite has locks of its own for transactions and for checkpoints, but up to 3.51.2 a checkpoint on one connection
/// that coincides with a commit on another can leave the database corrupt ("the WAL-reset bug", https://www.sqlite.org/wal.html).
/// Holding one lock around both closes that window. The lock is on a file of its own, `PATH-lock`, because closing any descriptor
/// of the database file would drop the locks that SQLite holds on it (fcntl(2)). The system releases it when a process dies.
final class WriteLock: Sendable {
    private let descriptor: CInt
    private let threads = NSLock()
    private let path: String

    /// Opens the lock file beside the store at `path`, making it if there is none.
    ///
    /// - Throws: ``StoreError/readOnly(path:)`` where that is not permitted, ``StoreError/diskFull(path:)``,
    ///   or ``StoreError/io(path:code:message:)`` with the system's error number.
    init(besideStoreAt path: String) throws {
        self.path = path
        descriptor = Glibc.open(path + "-lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            switch errno {
            case EACCES, EPERM, EROFS: throw StoreError.readOnly(path: path)
            case ENOSPC, EDQUOT: throw StoreError.diskFull(path: path)
            case let code: throw StoreError.io(path: path + "-lock", code: Int(code), message: String(cString: strerror(code)))
            }
        }
    }

    deinit { close(descriptor) }

    /// Runs `body` as the only writer.
    ///
    /// - Throws: ``StoreError/busy(path:seconds:)`` if others do not let go within `seconds`, also when `body` itself tries to
    ///   write through the same store; and what `body` throws.
    func withLock<Result>(waiting seconds: Double, _ body: () throws -> Result) throws -> Result {
        let deadline = Date(timeIntervalSinceNow: seconds)
        guard threads.lock(before: deadline) else { throw StoreError.busy(path: path, seconds: seconds) }
        defer { threads.unlock() }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR else {
                throw StoreError.io(path: path + "-lock", code: Int(code), message: String(cString: strerror(code)))
            }
            guard Date() < deadline else { throw StoreError.busy(path: path, seconds: seconds) }
            usleep(5_000)
        }
        defer { flock(descriptor, LOCK_UN) }
        return try body()
    }
}
