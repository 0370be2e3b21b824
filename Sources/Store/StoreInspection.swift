import Foundation
import GRDB

/// What is found in a file before anything in it is changed.
enum StoreInspection {
    /// Nothing yet: a file without tables, such as one whose making was interrupted.
    case blank
    /// A store of ours that this version can read, with so many of the schema's steps taken.
    case store(version: Int)

    /// Looks into the file at `location`, a path or a URI, without changing it.
    ///
    /// - Throws: ``StoreError/notAStore(path:reason:)`` for other people's files, ``StoreError/newerVersion(path:unknownSteps:knownVersion:)``,
    ///   and whatever SQLite reports as a `DatabaseError`.
    init(location: String, path: String, busyTimeout: Double) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(busyTimeout)
        let queue = try DatabaseQueue(path: location, configuration: configuration)
        self = try queue.read { db in try Self(of: db, path: path) }
    }

    private init(of db: Database, path: String) throws {
        let tables = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        switch try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0 {
        case Schema.applicationID: break
        case 0 where tables.allSatisfy({ $0 == "grdb_migrations" }):
            self = .blank
            return
        case let other:
            throw StoreError.notAStore(
                path: path,
                reason: "it is an SQLite database of another application (application_id \(other), not \(Schema.applicationID))")
        }
        let migrator = Schema.migrator
        if try migrator.hasBeenSuperseded(db) {
            let unknown = try migrator.appliedIdentifiers(db).subtracting(migrator.migrations).sorted()
            throw StoreError.newerVersion(path: path, unknownSteps: unknown, knownVersion: Schema.version)
        }
        self = .store(version: try migrator.completedMigrations(db).count)
    }
}
