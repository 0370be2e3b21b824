import Foundation
import GRDB
import Glibc

/// What a store is opened for.
public enum StoreAccess: Sendable {
    /// Reading, and writing where the file and its folder permit it.
    case readWrite
    /// Reading only.
    case readOnly
}

extension Store {
    /// Opens the store at `path`.
    ///
    /// Where `access` is `.readWrite` but the file or its folder is write-protected, the store opens for reading only;
    /// ``isWritable`` tells. A store in a write-protected folder that nobody has open is read as a still picture: nobody may
    /// write to it meanwhile. A store of an older version is brought up to date when it is opened for writing, and read as it is
    /// when it is opened for reading.
    ///
    /// - Parameters:
    ///   - path: The file; a relative path starts from the current folder.
    ///   - access: What it is opened for.
    ///   - createIfMissing: Whether to make an empty store where there is no file. Its folder must exist.
    ///   - busyTimeout: Seconds that calls wait for another process that is writing, before they fail.
    /// - Throws: ``StoreError``: `notFound` if there is no file, `notAStore` if it holds something else, `newerVersion`, `olderVersion`,
    ///   `readOnly` if it was to be made where that is not permitted, `busy`, `corrupt`, `diskFull` or `io`.
    public static func open(
        at path: String, access: StoreAccess, createIfMissing: Bool = false, busyTimeout: Double = 5
    ) throws -> Store {
        try open(
            at: path, access: access, createIfMissing: createIfMissing, busyTimeout: busyTimeout, blockByteCount: 4 << 20)
    }

    /// As the public function, with the size of blocks to be chosen.
    static func open(
        at givenPath: String, access: StoreAccess, createIfMissing: Bool, busyTimeout: Double, blockByteCount: Int
    ) throws -> Store {
        // Beyond a day, and for what is no number, SQLite's milliseconds would overflow.
        let busyTimeout = busyTimeout >= 0 ? min(busyTimeout, 86_400) : 0
        let path = URL(fileURLWithPath: givenPath).standardizedFileURL.resolvingSymlinksInPath().path
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let exists = try isFile(path)
        guard exists || (createIfMissing && access == .readWrite) else {
            throw StoreError.notFound(kind: .store, name: path, within: nil, nearby: [])
        }
        guard FileManager.default.fileExists(atPath: folder) else {
            throw StoreError.invalid(what: path, reason: "its folder does not exist", change: "make the folder first")
        }
        let folderIsWritable = Glibc.access(folder, W_OK) == 0
        guard exists || folderIsWritable else { throw StoreError.readOnly(path: path) }
        let writable = access == .readWrite && folderIsWritable && (!exists || Glibc.access(path, W_OK) == 0)
        let location = location(of: path, folderIsWritable: folderIsWritable)

        return try StoreError.translating(path: path, waited: busyTimeout) {
            let found = exists ? try StoreInspection(location: location, path: path, busyTimeout: busyTimeout) : .blank
            let writeLock = writable ? try lock(of: path, exists: exists) : nil
            let pool: DatabasePool
            if let writeLock {
                if exists, case .blank = found, !createIfMissing { throw blankFile(path) }
                pool = try writeLock.withLock(waiting: busyTimeout) {
                    let pool = try DatabasePool(
                        path: path, configuration: configuration(writable: true, busyTimeout: busyTimeout))
                    try Schema.migrator.migrate(pool)
                    return pool
                }
            } else {
                guard case .store(let version) = found else { throw blankFile(path) }
                guard version >= Schema.oldestReadableVersion else {
                    throw StoreError.olderVersion(path: path, version: version, knownVersion: Schema.version)
                }
                pool = try DatabasePool(path: location, configuration: configuration(writable: false, busyTimeout: busyTimeout))
            }
            return Store(path: path, pool: pool, writeLock: writeLock, patience: busyTimeout, blockByteCount: blockByteCount)
        }
    }

    private static func isFile(_ path: String) throws -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return false }
        guard !isFolder.boolValue else { throw StoreError.notAStore(path: path, reason: "it is a folder") }
        return true
    }

    /// The lock that writers hold; nil where there is a store to read, but this process may not write to its lock file.
    private static func lock(of path: String, exists: Bool) throws -> WriteLock? {
        do {
            return try WriteLock(besideStoreAt: path)
        } catch StoreError.readOnly where exists {
            return nil
        }
    }

    private static func blankFile(_ path: String) -> StoreError {
        .notAStore(path: path, reason: "it is an empty file")
    }

    /// What to open: the path, or, where SQLite could not make the files that WAL mode needs and no writer has left any,
    /// a URI that says the file does not change (https://www.sqlite.org/wal.html#read_only_databases).
    private static func location(of path: String, folderIsWritable: Bool) -> String {
        guard !folderIsWritable, !FileManager.default.fileExists(atPath: path + "-wal") else { return path }
        return URL(fileURLWithPath: path).absoluteString + "?immutable=1"
    }

    private static func configuration(writable: Bool, busyTimeout: Double) -> Configuration {
        var configuration = Configuration()
        configuration.label = "store"
        configuration.readonly = !writable
        configuration.busyMode = .timeout(busyTimeout)
        configuration.maximumReaderCount = 8
        configuration.prepareDatabase { db in
            // What a damaged or foreign schema could call is limited to what is harmless.
            try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
            guard !db.configuration.readonly else { return }
            // The page size counts for new files only, and must be set before WAL mode is.
            // An import leaves a WAL as large as itself: it is cut back when it is next begun anew.
            // Removed caches hold no secrets, and need no overwriting.
            try db.execute(
                sql: """
                    PRAGMA page_size = \(Schema.pageSize);
                    PRAGMA cache_size = -16384;
                    PRAGMA secure_delete = OFF;
                    PRAGMA journal_size_limit = 67108864;
                    """)
        }
        return configuration
    }
}
