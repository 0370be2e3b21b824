/// A decimal number as it is read digit by digit: `significand` × 10^`exponent`, with at most 19 significant digits kept.
struct Decimal {
    private(set) var significand: UInt64 = 0
    var exponent = 0
    private var digitCount = 0
    /// Whether digits had to be dropped, so that `significand` is not the whole of it.
    private var isTruncated = false

    /// 10^19 − 1 is the greatest number of nines below 2⁶⁴.
    private static let digitLimit = 19

    @inline(__always)
    mutating func append(_ digit: UInt8, isFraction: Bool) {
        if digitCount < Self.digitLimit {
            significand = significand &* 10 &+ UInt64(digit)
            if significand != 0 { digitCount += 1 }
            if isFraction { exponent -= 1 }
        } else {
            isTruncated = true
            if !isFraction { exponent += 1 }
        }
    }

    /// The number lies in [10^(magnitude − 1), 10^magnitude), unless it is 0.
    var magnitude: Int { digitCount + exponent }

    /// The value as an integer, if it was read without fraction and exponent and fits. Not for −0, which only `Double` can tell
    /// from 0.
    func integer(isNegative: Bool) -> Int? {
        guard !isTruncated else { return nil }
        guard isNegative else { return Int(exactly: significand) }
        guard significand != 0 else { return nil }
        return significand == Int.min.magnitude ? Int.min : Int(exactly: significand).map { -$0 }
    }

    /// The nearest `Double`, ties to even; nil where that takes more than 128-bit arithmetic.
    ///
    /// 10^e = 5^e · 2^e, and 5²⁷ is below 2⁶³: for exponents within ±27, product or quotient of two 64-bit integers are exact,
    /// and rounding them to 53 bits is all that is left. Where significand and power are both exact as `Double`, one hardware
    /// operation rounds as well (Clinger 1990).
    var rounded: Double? {
        guard !isTruncated else { return nil }
        guard significand != 0 else { return 0 }
        if significand <= 1 << 53, Self.powersOfTen.indices.contains(abs(exponent)) {
            let power = Self.powersOfTen[abs(exponent)]
            return exponent < 0 ? Double(significand) / power : Double(significand) * power
        }
        guard Self.powersOfFive.indices.contains(abs(exponent)) else { return nil }
        let power = Self.powersOfFive[abs(exponent)]
        if exponent >= 0 {
            let (high, low) = significand.multipliedFullWidth(by: power)
            return Self.round(high, low, isInexact: false, exponent: exponent)
        }
        let shift = significand.leadingZeroBitCount
        let (high, rest) = (significand << shift).quotientAndRemainder(dividingBy: power)
        let (low, remainder) = power.dividingFullWidth((rest, 0))
        return Self.round(high, low, isInexact: remainder != 0, exponent: exponent - 64 - shift)
    }

    /// (high·2⁶⁴ + low + something below 1 if `isInexact`) · 2^exponent, rounded once.
    private static func round(_ high: UInt64, _ low: UInt64, isInexact: Bool, exponent: Int) -> Double {
        let shift = high == 0 ? 64 + low.leadingZeroBitCount : high.leadingZeroBitCount
        var top = shift >= 64 ? low << (shift - 64) : high << shift | low >> (64 - shift)
        // A last bit that stands for all that was cut off keeps the conversion below from seeing a tie where there is none.
        if isInexact || low << shift != 0 { top |= 1 }
        let power = Double(bitPattern: UInt64(1023 + 64 - shift + exponent) << 52)
        return Double(top) * power
    }

    private static let powersOfTen: [Double] = (1...22).reduce(into: [1]) { powers, _ in powers.append((powers.last ?? 1) * 10) }
    private static let powersOfFive: [UInt64] = (1...27).reduce(into: [1]) { powers, _ in powers.append((powers.last ?? 1) * 5) }
}
