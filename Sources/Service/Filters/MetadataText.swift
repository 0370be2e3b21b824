internal import JSON

/// The text of an example's metadata, of which only what is asked for is read: the rest is passed over without being made values of.
///
/// The text was found to be JSON when it was stored. One that is not, or no object, has no members from where it goes wrong.
struct MetadataText {
    /// UTF-8.
    let bytes: UnsafeRawBufferPointer

    /// A member: where its key is, without the quotes, and where its value is.
    typealias Member = (key: Range<Int>, value: Range<Int>)

    /// The values that a key stands for: an array's elements or the value itself, none for an object; nil where there is no such
    /// member. O(length).
    func values(of key: FilterKey) -> [FilterScalar]? { place(of: key).map { values(at: $0) } }

    /// Where a key's value is: that of the member of this name or else, of a name with dots, that on the way through nested objects.
    private func place(of key: FilterKey) -> Range<Int>? {
        let whole = 0..<bytes.count
        if let place = member(named: key.name, in: whole) { return place }
        guard key.path.count > 1 else { return nil }
        return key.path.reduce(whole) { place, name in place.flatMap { member(named: name, in: $0) } }
    }

    private func member(named name: [UInt8], in place: Range<Int>) -> Range<Int>? {
        var found: Range<Int>?
        forEachMember(in: place) { member in
            guard matches(member.key, name) else { return true }
            found = member.value
            return false
        }
        return found
    }

    private func matches(_ key: Range<Int>, _ name: [UInt8]) -> Bool {
        let slice = bytes[key]
        if slice.count == name.count, slice.elementsEqual(name) { return !slice.contains(UInt8(ascii: "\\")) }
        // A key that has escapes is longer than what it says.
        return slice.count > name.count && slice.contains(UInt8(ascii: "\\")) && text(key).map { $0 == name } ?? false
    }

    /// What a key says, in UTF-8.
    func text(_ key: Range<Int>) -> [UInt8]? {
        let slice = bytes[key]
        guard slice.contains(UInt8(ascii: "\\")) else { return Array(slice) }
        return parsed(key.lowerBound - 1..<key.upperBound + 1)?.stringValue.map { Array($0.utf8) }
    }

    /// The scalars that stand at a place.
    func values(at place: Range<Int>) -> [FilterScalar] {
        // Most values are short texts.
        if bytes[place.lowerBound] == UInt8(ascii: "\"") {
            let text = bytes[place.lowerBound + 1..<place.upperBound - 1]
            if !text.contains(UInt8(ascii: "\\")) { return [.text(Array(text))] }
        }
        guard bytes[place.lowerBound] != UInt8(ascii: "{"), let json = parsed(place) else { return [] }
        return json.arrayValue?.compactMap { FilterScalar($0) } ?? FilterScalar(json).map { [$0] } ?? []
    }

    private func parsed(_ place: Range<Int>) -> JSON? {
        try? JSON(parsing: UnsafeRawBufferPointer(rebasing: bytes[place]))
    }

    /// Shows `body` the members of the object at a place, until it returns false.
    func forEachMember(in place: Range<Int>, _ body: (Member) -> Bool) {
        var scan = Scan(bytes: bytes[place])
        guard scan.take(UInt8(ascii: "{")) else { return }
        repeat {
            guard let key = scan.string(), scan.take(UInt8(ascii: ":")), let value = scan.value() else { return }
            guard body((key.lowerBound + 1..<key.upperBound - 1, value)) else { return }
        } while scan.take(UInt8(ascii: ","))
    }

    /// A way through the text that stays inside of it whatever it holds.
    private struct Scan {
        let bytes: Slice<UnsafeRawBufferPointer>
        var position: Int

        init(bytes: Slice<UnsafeRawBufferPointer>) {
            self.bytes = bytes
            position = bytes.startIndex
        }

        var current: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

        /// Passes white space and, if it comes next, a byte.
        mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard current == byte else { return false }
            position += 1
            return true
        }

        private mutating func skipSpace() {
            while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        }

        /// Passes a string, and says where it is with its quotes.
        mutating func string() -> Range<Int>? {
            skipSpace()
            let start = position
            guard take(UInt8(ascii: "\"")) else { return nil }
            while let byte = current {
                position += byte == UInt8(ascii: "\\") ? 2 : 1
                if byte == UInt8(ascii: "\"") { return start..<position }
            }
            return nil
        }

        /// Passes a value, and says where it is; nil where there is none or it does not end.
        mutating func value() -> Range<Int>? {
            skipSpace()
            let start = position
            var depth = 0
            while let byte = current {
                switch byte {
                case UInt8(ascii: "\""):
                    guard string() != nil else { return nil }
                    if depth == 0 { return start..<position }
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), 0x20, 0x0A, 0x0D, 0x09:
                    // Outside of arrays and objects, the end of a number or a word.
                    if depth == 0 { return start < position ? start..<position : nil }
                    position += 1
                    guard byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") else { break }
                    depth -= 1
                    if depth == 0 { return start..<position }
                default: position += 1
                }
            }
            return depth == 0 && start < position ? start..<position : nil
        }
    }
}

/// A key of metadata as a filter names it.
struct FilterKey {
    /// The whole of it, in UTF-8.
    let name: [UInt8]
    /// Its parts between dots.
    let path: [[UInt8]]

    init(_ name: [UInt8]) {
        self.name = name
        path = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
    }
}
