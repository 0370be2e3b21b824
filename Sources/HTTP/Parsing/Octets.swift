/// The octets that HTTP's grammar is made of, as sets that are looked up in one step.
enum Octets {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let slash = UInt8(ascii: "/")
    static let percent = UInt8(ascii: "%")

    /// `tchar`, RFC 9110 §5.6.2: the characters of methods and field names.
    static let token = OctetSet(letters + digits + Array("!#$%&'*+-.^_`|~".utf8))
    /// `pchar` without the percent sign, and the slash: the characters of a path (RFC 3986 §3.3).
    static let path = OctetSet(unreserved + subDelimiters + Array(":@/%".utf8))
    /// The characters of a registered name (RFC 3986 §3.2.2) but for the comma, which would let one Host field value be
    /// read as a list of two.
    static let registeredName = OctetSet(unreserved + subDelimiters.filter { $0 != comma } + [percent])
    /// The characters of an address of a version after IPv6 (RFC 3986 §3.2.2) but for the comma, as in a registered name.
    static let futureAddress = OctetSet(unreserved + subDelimiters.filter { $0 != comma } + [colon])

    private static let letters = Array(UInt8(ascii: "a")...UInt8(ascii: "z")) + Array(UInt8(ascii: "A")...UInt8(ascii: "Z"))
    private static let digits = Array(UInt8(ascii: "0")...UInt8(ascii: "9"))
    private static let unreserved = letters + digits + Array("-._~".utf8)
    private static let subDelimiters = Array("!$&'()*+,;=".utf8)

    /// Whether `octet` is a decimal digit.
    static func isDigit(_ octet: UInt8) -> Bool { octet >= 0x30 && octet <= 0x39 }

    /// The value of a hexadecimal digit, or nil.
    static func hexValue(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x41 + 10
        case 0x61...0x66: octet - 0x61 + 10
        default: nil
        }
    }

    /// `octets` without optional whitespace (space, tab) at either end; RFC 9110 §5.6.3.
    static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = octets
        while let first = rest.first, first == space || first == tab { rest.removeFirst() }
        while let last = rest.last, last == space || last == tab { rest.removeLast() }
        return rest
    }

    /// `octets` as text, with A to Z as a to z, for names that do not tell cases apart. Nothing else changes: in Unicode, the
    /// lower case of the Kelvin sign is "k", and who took it for that would see a `chunked` that others do not.
    static func lowercased(_ octets: ArraySlice<UInt8>) -> String {
        String(decoding: octets.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// `octets` for people to read: as text where it is printable ASCII, else escaped, and cut when it is long.
    static func quoted(_ octets: some Collection<UInt8>) -> String {
        var text = "\""
        for octet in octets.prefix(60) {
            switch octet {
            case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(octet))
            default: text += "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
            }
        }
        return text + (octets.count > 60 ? "…\"" : "\"")
    }
}

/// A set of octets.
struct OctetSet: Sendable {
    private var low: (UInt64, UInt64) = (0, 0)

    /// The set of `octets`, all of which are ASCII.
    init(_ octets: [UInt8]) {
        for octet in octets {
            precondition(octet < 128, "HTTP's sets of characters are ASCII")
            if octet < 64 { low.0 |= 1 << octet } else { low.1 |= 1 << (octet - 64) }
        }
    }

    /// Whether `octet` is in the set. O(1).
    func contains(_ octet: UInt8) -> Bool {
        switch octet {
        case 0..<64: low.0 >> octet & 1 == 1
        case 64..<128: low.1 >> (octet - 64) & 1 == 1
        default: false
        }
    }

    /// Whether all of `octets` are in the set. O(n).
    func containsAll(_ octets: ArraySlice<UInt8>) -> Bool { octets.allSatisfy(contains) }
}
