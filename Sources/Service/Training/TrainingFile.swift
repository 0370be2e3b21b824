internal import Foundation
internal import Glibc
internal import Store
internal import Synchronization

/// The file that keeps a training run beside its store, and the lock on it: one process trains a model at a time.
///
/// The file is replaced as a whole, so that it holds one saved state or the next whenever the process or the machine stops. The lock
/// (flock(2)) is on the file itself, and the next file is locked before it takes its name; the system releases it when a process
/// dies. An empty file holds no run.
final class TrainingFile: Sendable {
    /// Where it lies: `STORE.MODEL.training`.
    let path: String
    private let state: Mutex<(descriptor: CInt, isEmpty: Bool)>

    /// The file for a model of a store.
    static func path(model: String, store: Store) -> String { "\(store.path).\(model).training" }

    /// Opens the file, making it if there is none, and locks it.
    /// - Throws: `ModelTrainingError.inUse`, `ModelTrainingError.file`.
    init(path: String) throws {
        self.path = path
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw Self.failure(path) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(descriptor)
                if code == EINTR { continue }
                throw code == EWOULDBLOCK ? ModelTrainingError.inUse(path: path) : Self.failure(path, code)
            }
            // Another process may have replaced or removed it between the two calls.
            guard let mine = Self.identity({ fstat(descriptor, &$0) }), mine == Self.identity({ stat(path, &$0) }) else {
                close(descriptor)
                continue
            }
            state = Mutex((descriptor, mine.size == 0))
            return
        }
    }

    /// Lets go of the lock; a file without a run is removed.
    deinit {
        state.withLock { state in
            if state.isEmpty { unlink(path) }
            close(state.descriptor)
        }
    }

    /// What was saved; nil where nothing was.
    /// - Throws: `ModelTrainingError.file`.
    func read() throws -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path) else { throw Self.failure(path) }
        return data.isEmpty ? nil : [UInt8](data)
    }

    /// Replaces what was saved, which stays where this fails.
    /// - Throws: `StoreError.diskFull`, `ModelTrainingError.file`.
    func save(_ bytes: [UInt8]) throws {
        let next = path + ".new"
        let descriptor = open(next, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(next) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.write(bytes, to: descriptor), fsync(descriptor) == 0,
            rename(next, path) == 0
        else {
            let failure = Self.failure(path)
            unlink(next)
            close(descriptor)
            throw failure
        }
        state.withLock { state in
            close(state.descriptor)
            state = (descriptor, false)
        }
    }

    /// Removes the file, whose run is over. Nothing can be saved after it.
    func remove() { unlink(path) }

    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private struct Identity: Equatable {
        let device: UInt, file: UInt, size: Int

        static func == (a: Identity, b: Identity) -> Bool { a.device == b.device && a.file == b.file }
    }

    private static func identity(_ call: (inout stat) -> CInt) -> Identity? {
        var status = stat()
        guard call(&status) == 0 else { return nil }
        return Identity(device: UInt(status.st_dev), file: UInt(status.st_ino), size: Int(status.st_size))
    }

    private static func failure(_ path: String, _ code: CInt = errno) -> any Error {
        code == ENOSPC || code == EDQUOT
            ? StoreError.diskFull(path: path) : ModelTrainingError.file(path: path, reason: String(cString: strerror(code)))
    }
}
