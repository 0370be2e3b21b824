public import JSON

extension JSON {
    /// Where a pointer leads.
    public enum Place: Equatable, Sendable {
        /// To a value.
        case value(JSON)
        /// To a member that an object does not have.
        case missingMember
        /// Nowhere: it is no JSON Pointer, or there is nothing that it could mean.
        case none
    }

    /// Follows `pointer` as RFC 6901 §3 and §4 say it.
    public func place(at pointer: String) -> Place {
        if pointer.isEmpty { return .value(self) }
        // By code points: a slash with an accent after it is still a slash.
        let pieces = Array(pointer.unicodeScalars).split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.first?.isEmpty == true else { return .none }
        var value = self
        for (index, piece) in pieces.enumerated().dropFirst() {
            guard let token = Self.unescaped(piece) else { return .none }
            if let object = value.objectValue {
                guard let member = object[token] else { return index == pieces.count - 1 ? .missingMember : .none }
                value = member
            } else {
                guard let index = Int(token), String(index) == token, index >= 0, let element = value[index] else { return .none }
                value = element
            }
        }
        return .value(value)
    }

    /// A token with `~1` and `~0` replaced; nil where a tilde is followed by anything else.
    private static func unescaped(_ piece: ArraySlice<Unicode.Scalar>) -> String? {
        var token = String.UnicodeScalarView()
        var rest = piece
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                token.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": token.append("~")
            case "1": token.append("/")
            default: return nil
            }
        }
        return String(token)
    }
}
