import Foundation
import GRDB

extension StoreError {
    /// What an error of the database layer means to the caller of a store at `path`.
    ///
    /// SQLite's primary result codes are mapped by meaning (https://www.sqlite.org/rescode.html);
    /// what has no meaning of its own here keeps its extended code and message.
    init(_ error: DatabaseError, path: String, waited seconds: Double) {
        switch error.resultCode {
        case .SQLITE_FULL: self = .diskFull(path: path)
        case .SQLITE_READONLY, .SQLITE_PERM: self = .readOnly(path: path)
        case .SQLITE_CORRUPT: self = .corrupt(what: path, reason: error.message ?? "the database disk image is malformed")
        // Every constraint is checked for before anything is written: only records that were wrong before can violate one.
        case .SQLITE_CONSTRAINT:
            self = .corrupt(what: path, reason: "\(error.message ?? "a constraint is violated"); run a check to see where")
        case .SQLITE_NOTADB: self = .notAStore(path: path, reason: "it is no SQLite database")
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path, seconds: seconds)
        default:
            self = .io(path: path, code: Int(error.extendedResultCode.rawValue), message: error.message ?? "unknown error")
        }
    }

    /// Runs `body` and turns whatever the database layer throws into a `StoreError`; other errors pass through.
    static func translating<Result>(path: String, waited seconds: Double, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw StoreError(error, path: path, waited: seconds)
        } catch is RowDecodingError {
            throw StoreError.corrupt(what: path, reason: "a column holds a value of the wrong kind; run a check to see where")
        }
    }
}
