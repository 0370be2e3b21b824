/// A place in a JSON value (RFC 6901): "" is the whole, "/tests/0/input" the member `input` of the first element of the member
/// `tests`.
public struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// The pointer as RFC 6901 §5 writes it, with `~` as `~0` and `/` as `~1`.
    public let description: String

    /// The whole value.
    public static let root = JSONPointer(description: "")

    private init(description: String) { self.description = description }

    /// The member `key` of the object here.
    public func appending(_ key: String) -> JSONPointer {
        guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
            return JSONPointer(description: "\(description)/\(key)")
        }
        var escaped = ""
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return JSONPointer(description: "\(description)/\(escaped)")
    }

    /// The element at `index` of the array here.
    public func appending(_ index: Int) -> JSONPointer { JSONPointer(description: "\(description)/\(index)") }
}
