/// The members of a JSON object: unique keys in the order of insertion.
///
/// Lookup scans while there are few members and hashes beyond that, so building and reading n members takes O(n).
public struct JSONObject: Sendable {
    private var members: [(key: String, value: JSON)]
    /// Where each key is; empty while there are at most `scanLimit` members.
    private var positions: [ExactString: Int]

    private static let scanLimit = 8

    /// An object without members.
    public init() {
        members = []
        positions = [:]
    }

    /// An object of `pairs` in their order; of a key given twice the last value counts, at the first one's place.
    public init(_ pairs: some Sequence<(String, JSON)>) {
        self.init()
        for (key, value) in pairs { self[key] = value }
    }

    /// The keys in order. O(n).
    public var keys: [String] { members.map(\.key) }

    /// The value of `key`. Setting adds the member at the end or replaces its value in place, in O(1) on average; setting nil
    /// removes it in O(n). (To store a JSON null, set `.null`.)
    public subscript(key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil): remove(at: position)
            case (nil, let value?): appendNew(key, value)
            case (nil, nil): break
            }
        }
    }

    /// Adds a member unless its key is there already.
    /// - Returns: whether it was added.
    mutating func append(_ key: String, _ value: JSON) -> Bool {
        guard position(of: key) == nil else { return false }
        appendNew(key, value)
        return true
    }

    private func position(of key: String) -> Int? {
        let exact = ExactString(key)
        guard positions.isEmpty else { return positions[exact] }
        return members.firstIndex { ExactString($0.key) == exact }
    }

    private mutating func appendNew(_ key: String, _ value: JSON) {
        members.append((key, value))
        if !positions.isEmpty {
            positions[ExactString(key)] = members.count - 1
        } else if members.count > Self.scanLimit {
            index()
        }
    }

    private mutating func remove(at position: Int) {
        members.remove(at: position)
        positions = [:]
        if members.count > Self.scanLimit { index() }
    }

    private mutating func index() {
        positions.reserveCapacity(members.count)
        for (position, member) in members.enumerated() { positions[ExactString(member.key)] = position }
    }
}

extension JSONObject: RandomAccessCollection {
    /// A member: its key and its value.
    public typealias Element = (key: String, value: JSON)

    /// Always 0.
    public var startIndex: Int { 0 }

    /// The number of members.
    public var endIndex: Int { members.count }

    /// The member at `position` in the order of insertion.
    public subscript(position: Int) -> Element { members[position] }
}

extension JSONObject: Equatable {
    /// Whether both have the same keys with equal values, in whatever order. O(n) on average.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// The members in the order written; of a key written twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
