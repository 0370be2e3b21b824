extension JSONParser {
    enum Number {
        case integer(Int)
        case double(Double)
    }

    /// The longest number read; more digits than this change no `Double`.
    private static let longestNumber = 1024

    /// A number (RFC 8259 §6), from its sign or first digit on.
    mutating func number() throws(JSONSyntaxError) -> Number {
        let start = position
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var decimal = Decimal()

        let firstDigit = position
        readDigits { decimal.append($0, isFraction: false) }
        guard position > firstDigit else { throw error("\(found) where a digit was expected") }
        if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
            throw error("a number with a leading zero", at: start)
        }

        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            let first = position
            readDigits { decimal.append($0, isFraction: true) }
            guard position > first else { throw error("\(found) where a digit was expected after the decimal point") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            try readExponent(into: &decimal)
        }
        if isInteger, let integer = decimal.integer(isNegative: isNegative) { return .integer(integer) }
        return .double(try double(decimal, isNegative: isNegative, start: start))
    }

    private mutating func readExponent(into decimal: inout Decimal) throws(JSONSyntaxError) {
        let isNegative = current == UInt8(ascii: "-")
        if isNegative || current == UInt8(ascii: "+") { position += 1 }
        let first = position
        var exponent = 0
        // Beyond a million every number is 0 or too big, whatever its digits (there are at most `longestNumber`).
        readDigits { exponent = min(exponent * 10 + Int($0), 1_000_000) }
        guard position > first else { throw error("\(found) where a digit of the exponent was expected") }
        decimal.exponent += isNegative ? -exponent : exponent
    }

    private func double(_ decimal: Decimal, isNegative: Bool, start: Int) throws(JSONSyntaxError) -> Double {
        guard position - start <= Self.longestNumber else {
            throw error("a number of more than \(Self.longestNumber) characters", at: start)
        }
        let magnitude: Double
        if let exact = decimal.rounded {
            magnitude = exact
        } else if decimal.magnitude < -400 {
            magnitude = 0
        } else if decimal.magnitude > 400 {
            magnitude = .infinity
        } else {
            let digits = bytes[(isNegative ? start + 1 : start)..<position]
            // Swift's own conversion rounds correctly and knows no locale. It understands every number of JSON's grammar.
            magnitude = Double(String(decoding: digits, as: UTF8.self)) ?? .infinity
        }
        guard magnitude.isFinite else { throw error("a number too big for double precision", at: start) }
        return isNegative ? -magnitude : magnitude
    }

    @inline(__always)
    private mutating func readDigits(_ take: (UInt8) -> Void) {
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { return }
            take(digit)
            position += 1
        }
    }
}
