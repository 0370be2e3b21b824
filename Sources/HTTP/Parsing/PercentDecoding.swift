/// Percent-decoding (RFC 3986 §2.1) to text.
enum PercentDecoding {
    /// `octets` with each `%XX` replaced by its octet, as text.
    ///
    /// - Parameter plusIsSpace: Whether "+" stands for a space, as in the query of an HTML form.
    /// - Throws: 400 for a percent sign without two hexadecimal digits, for a NUL, and for what is then not UTF-8
    ///   (RFC 3629 §3; overlong forms such as `%c0%af` are not).
    static func decode(_ octets: ArraySlice<UInt8>, plusIsSpace: Bool = false) throws(ProtocolError) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(octets.count)
        var index = octets.startIndex
        while index < octets.endIndex {
            let octet = octets[index]
            if octet == Octets.percent {
                guard octets.endIndex - index > 2, let high = Octets.hexValue(octets[index + 1]),
                    let low = Octets.hexValue(octets[index + 2])
                    // RFC 3986 §2.1: a percent sign stands before two hexadecimal digits.
                else { throw .malformed("In the target, a percent sign is not followed by two hexadecimal digits.") }
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(plusIsSpace && octet == UInt8(ascii: "+") ? Octets.space : octet)
                index += 1
            }
        }
        // RFC 3986 §7.3: an encoded NUL, which ends a text for some recipients, is to be refused.
        guard !decoded.contains(0) else { throw .malformed("The target has an encoded NUL.") }
        // RFC 3629 §3: octets that are not UTF-8 are not to be decoded to something else.
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw .malformed("The target is not UTF-8 once its percent signs are decoded.")
        }
        return text
    }
}
