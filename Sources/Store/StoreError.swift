/// Why the store could not do what it was asked: what was wrong, where, and what to change.
///
/// Every throwing function of ``Store`` throws this type, and besides it only what a caller's own `progress` closure throws.
/// `description` is one English sentence or two that can be shown to a user as they are.
public enum StoreError: Error, Equatable, Sendable {
    /// Nothing of this name exists; `nearby` are the existing names most like it, the likeliest first.
    /// `within` says where was looked: the model of a checkpoint, for example.
    case notFound(kind: StoreObject, name: String, within: String?, nearby: [String])

    /// Rows were asked for that `what` does not have: it has `count`, numbered from 0.
    case outOfRange(what: String, rows: Range<Int>, count: Int)

    /// The name is taken, and nothing in a store is ever silently overwritten.
    case alreadyExists(kind: StoreObject, name: String, within: String?, change: String)

    /// What was handed in cannot be stored or read: `what` it is about, the `reason`, and what to `change`.
    case invalid(what: String, reason: String, change: String)

    /// Stored bytes are not what was once written.
    case corrupt(what: String, reason: String)

    /// The file is not a store of ours. It has not been touched.
    case notAStore(path: String, reason: String)

    /// The store was written by a newer version, whose schema steps this version does not know. It has not been touched.
    case newerVersion(path: String, unknownSteps: [String], knownVersion: Int)

    /// The store is of an older version, and cannot be brought up to date because it is open for reading only.
    case olderVersion(path: String, version: Int, knownVersion: Int)

    /// Something was to be written to a store that is open for reading only, or that lies where this process may not write.
    case readOnly(path: String)

    /// Someone else went on writing for all of the `seconds` that this call was prepared to wait.
    case busy(path: String, seconds: Double)

    /// The disk, or the quota on it, is full. The store is as it was before the call.
    case diskFull(path: String)

    /// SQLite or the system failed otherwise: SQLite's extended result code and its message.
    case io(path: String, code: Int, message: String)
}

/// The kinds of things a store holds, as messages name them.
public enum StoreObject: String, Sendable, CaseIterable {
    /// The file itself.
    case store
    /// Examples with their targets.
    case dataset
    /// A specification trained on a dataset.
    case model
    /// One set of a model's parameters.
    case checkpoint
    /// Per-example gradients of a checkpoint.
    case cache
    /// A derived quantity of a checkpoint.
    case derived
    /// A block of rows of any of these.
    case block
}

extension StoreError: CustomStringConvertible {
    /// The error as a sentence for a user.
    public var description: String {
        switch self {
        case .notFound(let kind, let name, let within, let nearby):
            let place = within.map { " in \($0)" } ?? ""
            let hint = nearby.isEmpty ? "" : "; there is " + nearby.map { "'\($0)'" }.joined(separator: ", ")
            return "no \(kind.rawValue) '\(name)'\(place)\(hint)"
        case .outOfRange(let what, let rows, let count):
            // The count of a range can be more than a number holds.
            let asked =
                rows.lowerBound &+ 1 == rows.upperBound
                ? "row \(rows.lowerBound)" : "rows \(rows.lowerBound)..<\(rows.upperBound)"
            return "\(what) has no \(asked): it holds \(count) rows, numbered from 0"
        case .alreadyExists(let kind, let name, let within, let change):
            return "\(within ?? "the store") already holds a \(kind.rawValue) '\(name)'; \(change)"
        case .invalid(let what, let reason, let change):
            return "\(what): \(reason); \(change)"
        case .corrupt(let what, let reason):
            return "\(what) is damaged: \(reason)"
        case .notAStore(let path, let reason):
            return "\(path) is not a store: \(reason)"
        case .newerVersion(let path, let steps, let known):
            return "\(path) was written by a newer version (schema steps \(steps.joined(separator: ", ")) are unknown here, "
                + "where schema version \(known) is the newest); use that version or a later one"
        case .olderVersion(let path, let version, let known):
            return "\(path) has schema version \(version) and must be brought to \(known), but is open for reading only; "
                + "open it once with write access"
        case .readOnly(let path):
            return "\(path) cannot be written: it is open for reading only, or its file or folder is write-protected"
        case .busy(let path, let seconds):
            return "\(path) is being written by someone else, and still was after \(seconds) s; try again when they have finished"
        case .diskFull(let path):
            return "the disk is full: \(path) is as it was before; free some space and try again"
        case .io(let path, let code, let message):
            return "\(path): \(message) (SQLite result code \(code))"
        }
    }
}
