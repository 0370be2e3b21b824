import Formats

/// The rules for names that users give to what they store.
enum Names {
    /// The most characters a name may have.
    static let maximumLength = 128

    /// Whether `name` has 1...128 characters of `A-Z a-z 0-9 . _ -` and begins with a letter or digit.
    ///
    /// Such names need no escaping in a URL's path, a file name or a shell.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.count <= maximumLength else { return false }
        return name.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }

    /// - Throws: ``StoreError/invalid(what:reason:change:)`` unless `name` is valid.
    static func require(_ name: String, for kind: StoreObject) throws {
        guard isValid(name) else {
            throw StoreError.invalid(
                what: "\(kind.rawValue) name '\(name.legible(limit: maximumLength + 1))'", reason: "it is not a valid name",
                change: "use 1 to 128 of A-Z a-z 0-9 . _ - and begin with a letter or a digit")
        }
    }

    /// At most `limit` of `candidates`, those most like `name` first; ties in the candidates' order.
    static func nearest(to name: String, among candidates: [String], limit: Int = 5) -> [String] {
        let wanted = Array(name.lowercased().prefix(maximumLength))
        let ranked = candidates.enumerated().map { entry in
            (distance: editDistance(wanted, Array(entry.element.lowercased())), order: entry.offset, name: entry.element)
        }
        return ranked.sorted { ($0.distance, $0.order) < ($1.distance, $1.order) }.prefix(limit).map(\.name)
    }

    /// The least number of insertions, deletions and substitutions that turn `a` into `b` (Levenshtein 1966).
    ///
    /// - Complexity: O(a.count × b.count).
    private static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = left == right ? diagonal : min(diagonal, above, row[j]) + 1
                diagonal = above
            }
        }
        return row[b.count]
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
