internal import Formats
internal import JSON
internal import Store

/// What metadata there is in a dataset: for those who asked for something else.
struct MetadataSurvey {
    /// Different keys, and values of one key, that are counted; others are not looked at.
    private static let most = 1_000
    /// How many of them a message lists.
    private static let listed = 20

    /// Examples that have each key; nested ones as filters name them.
    private var keys: [[UInt8]: Int] = [:]
    /// Examples that have each value of the keys that were asked about.
    private var values: [[UInt8]: [FilterScalar: Int]]
    private let wanted: [FilterKey]

    /// A survey of all keys, and of the values of some.
    init(
        of dataset: DatasetRecord, from store: Store, valuesOf wanted: [[UInt8]], checkCancellation: () throws -> Void
    ) throws {
        self.wanted = wanted.map { FilterKey($0) }
        values = [:]
        try store.forEachAnnotation(of: dataset, checkCancellation: checkCancellation) { annotation in
            annotation.metadata.map { add(MetadataText(bytes: $0)) }
        }
    }

    /// Whether no example has any key.
    var isEmpty: Bool { keys.isEmpty }

    private mutating func add(_ text: MetadataText) {
        addKeys(of: text, in: 0..<text.bytes.count, below: [], depth: 0)
        for key in wanted {
            for value in Set(text.values(of: key) ?? []) { Self.count(value, in: &values[key.name, default: [:]]) }
        }
    }

    private mutating func addKeys(of text: MetadataText, in place: Range<Int>, below prefix: [UInt8], depth: Int) {
        text.forEachMember(in: place) { member in
            guard let name = text.text(member.key) else { return true }
            let key = prefix + name
            if text.bytes[member.value.lowerBound] == UInt8(ascii: "{"), depth < 4 {
                addKeys(of: text, in: member.value, below: key + [UInt8(ascii: ".")], depth: depth + 1)
            } else {
                Self.count(key, in: &keys)
            }
            return true
        }
    }

    private static func count<Key: Hashable>(_ key: Key, in counts: inout [Key: Int]) {
        if counts[key] != nil || counts.count < most { counts[key, default: 0] += 1 }
    }

    /// "source (100 examples), width (98)".
    var listedKeys: String {
        Self.list(keys.map { (String(decoding: $0.key, as: UTF8.self).legible(limit: 60), $0.value) })
    }

    /// The values that a key has: "\"scanner-1\" (60 examples), \"scanner-3\" (40)".
    func listedValues(of key: [UInt8]) -> String {
        let known = values[key] ?? [:]
        return known.isEmpty
            ? "lists or objects that hold none" : Self.list(known.map { ($0.key.json.text.legible(limit: 60), $0.value) })
    }

    /// Names with how many examples have each: those that most have, by name.
    static func list(_ counts: [(name: String, count: Int)]) -> String {
        let kept = counts.sorted { $0.count == $1.count ? $0.name < $1.name : $0.count > $1.count }.prefix(listed)
        let texts = kept.enumerated().map { place, entry in
            place == 0 ? "\(entry.name) (\(entry.count) example\(entry.count == 1 ? "" : "s"))" : "\(entry.name) (\(entry.count))"
        }
        return texts.joined(separator: ", ") + (counts.count > kept.count ? " and \(counts.count - kept.count) more" : "")
    }
}
