internal import Glibc

/// Stands in for `Synchronization.Mutex` in builds for the thread sanitizer, which does not see the standard library's: a contended one
/// is handed over by the kernel (FUTEX_LOCK_PI) from code that is not instrumented. This one is a POSIX mutex, which it does see.
struct Mutex<Value>: ~Copyable, @unchecked Sendable {
    private final class Storage {
        var value: Value
        let lock: UnsafeMutablePointer<pthread_mutex_t>

        init(_ value: Value) {
            self.value = value
            lock = .allocate(capacity: 1)
            pthread_mutex_init(lock, nil)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }
    }

    private let storage: Storage

    init(_ value: sending Value) { storage = Storage(value) }

    borrowing func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(storage.lock)
        defer { pthread_mutex_unlock(storage.lock) }
        nonisolated(unsafe) let storage = storage
        return try body(&storage.value)
    }
}
