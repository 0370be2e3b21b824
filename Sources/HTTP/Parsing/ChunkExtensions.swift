/// What may stand behind a chunk's size. Nothing of it is understood here, but where it is not what RFC 9112 §7.1.1 says, two
/// recipients could differ in where the line ends, and one request be smuggled inside another (§11.2).
enum ChunkExtensions {
    /// Whether `octets` are `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 §7.1.1), where a name
    /// is a token, and a value a token or a quoted string.
    ///
    /// - Parameter octets: Part of a line, which must have been checked to have no control characters but the tab. O(n).
    static func isValid(_ octets: ArraySlice<UInt8>) -> Bool {
        var rest = octets
        while !rest.isEmpty {
            dropWhitespace(&rest)
            guard rest.popFirst() == UInt8(ascii: ";") else { return false }
            dropWhitespace(&rest)
            guard dropToken(&rest) else { return false }
            var ahead = rest
            dropWhitespace(&ahead)
            guard ahead.popFirst() == UInt8(ascii: "=") else { continue }
            dropWhitespace(&ahead)
            guard dropToken(&ahead) || dropQuotedString(&ahead) else { return false }
            rest = ahead
        }
        return true
    }

    private static func dropWhitespace(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == Octets.space || $0 == Octets.tab }
    }

    /// RFC 9110 §5.6.2.
    private static func dropToken(_ rest: inout ArraySlice<UInt8>) -> Bool {
        let count = rest.prefix(while: Octets.token.contains).count
        rest = rest.dropFirst(count)
        return count > 0
    }

    /// RFC 9110 §5.6.4: anything between quotes, where a backslash keeps the octet behind it from ending the string.
    private static func dropQuotedString(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard rest.popFirst() == UInt8(ascii: "\"") else { return false }
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "\"") { return true }
            if octet == UInt8(ascii: "\\"), rest.popFirst() == nil { return false }
        }
        return false
    }
}
