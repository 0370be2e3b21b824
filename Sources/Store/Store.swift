import Foundation
import GRDB

/// One SQLite file that holds datasets, models, their checkpoints, gradient caches and quantities derived from checkpoints.
///
/// Everything a caller hands in is either stored as a whole or not at all, however a call ends: with an error, or with the
/// process killed in the middle. Everything large is held in blocks of whole rows, each with its SHA-256, so that it can be written
/// piece by piece, read by ranges of rows straight into the caller's memory, and checked.
///
/// A store can be used from any number of threads. Reads run beside each other and beside a write, and each sees the state
/// after the last finished write. Writes run one at a time, across processes too; a call that would have to wait longer than the
/// store's `busyTimeout` fails with ``StoreError/busy(path:seconds:)``. All calls block their thread: keep them off the cooperative pool
/// and off event loops. A `progress` closure may read from the store in an import, but never write to it.
///
/// In the file's folder lie, besides the file itself, SQLite's `-wal` and `-shm` files while the store is open, and an empty
/// `-lock` file which is the lock that writers hold.
public final class Store: Sendable {
    /// The absolute path of the file.
    public let path: String

    /// Whether this store can be written: it was opened for writing, and its file and folder permit that.
    public var isWritable: Bool { writeLock != nil }

    /// The connections: one that writes and checkpoints, the others for reading only.
    let pool: DatabasePool

    /// Held through each write; nil for a store that is open for reading only.
    let writeLock: WriteLock?

    /// Seconds a call waits for another writer.
    let patience: Double

    /// Bytes a block is to have, apart from the last of its kind: a few MiB are read at full speed, and make a small transaction.
    let blockByteCount: Int

    /// The blocks whose checksums have been found right since the store was opened.
    let verified = VerifiedBlocks()

    init(path: String, pool: DatabasePool, writeLock: WriteLock?, patience: Double, blockByteCount: Int) {
        self.path = path
        self.pool = pool
        self.writeLock = writeLock
        self.patience = patience
        self.blockByteCount = blockByteCount
    }
}

extension Store {
    /// Bytes the store takes on disk: the file and what waits in the `-wal` file to be moved into it.
    ///
    /// - Throws: ``StoreError/io(path:code:message:)`` if the file is gone.
    public var sizeInBytes: Int {
        get throws {
            guard let size = Self.fileSize(path) else {
                throw StoreError.io(path: path, code: Int(ResultCode.SQLITE_CANTOPEN.rawValue), message: "the file is gone")
            }
            return size + (Self.fileSize(path + "-wal") ?? 0)
        }
    }

    /// The version of the store's schema: how many of the schema's steps it has been through.
    public var schemaVersion: Int {
        get throws { try reading { db in try Schema.migrator.completedMigrations(db).count } }
    }

    /// Runs `body` on a reading connection, in a transaction: all it reads is of one moment.
    func reading<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try StoreError.translating(path: path, waited: patience) { try pool.read(body) }
    }

    /// Runs `body`, whose answer is that of a single statement, on a reading connection: SQLite gives a statement one moment by itself, so
    /// that a transaction around it would add nothing but its time. What else `body` may read is for an error's words alone.
    func lookingUp<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try StoreError.translating(path: path, waited: patience) { try pool.unsafeRead(body) }
    }

    /// Runs `body` on the writing connection as the only writer, in a transaction that leaves no trace if `body` throws.
    func writing<Result>(_ body: (Database) throws -> Result) throws -> Result {
        guard let writeLock else { throw StoreError.readOnly(path: path) }
        return try writeLock.withLock(waiting: patience) {
            try StoreError.translating(path: path, waited: patience) { try pool.write(body) }
        }
    }

    private static func fileSize(_ path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    }
}
