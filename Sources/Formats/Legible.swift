extension String {
    /// The text as it may stand in a message, whoever wrote the file that it is from: control characters, which a terminal would
    /// obey and a log would break at, as `\u{1b}`, the marks that turn the direction of text likewise, and no more than `limit`
    /// code points of it.
    public func legible(limit: Int) -> String {
        let isShort = utf8.count <= limit || unicodeScalars.count <= limit
        guard !isShort || unicodeScalars.contains(where: \.isUnfitForMessages) else { return self }
        var text = ""
        for scalar in unicodeScalars.prefix(isShort ? limit : limit - 1) {
            text += scalar.isUnfitForMessages ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return isShort ? text : text + "…"
    }
}

extension Unicode.Scalar {
    /// Whether it is a control character (C0, delete, C1), a line or paragraph separator, or a directional mark (Unicode Standard
    /// Annex 9 §2).
    fileprivate var isUnfitForMessages: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
