/// A JSON value (RFC 8259).
///
/// Reading makes `numbers` of every non-empty array that holds numbers only, so that a million inputs take eight bytes each.
/// `float` exists for writing: it prints the shortest decimal that gives the `Float` back. Equality is that of the JSON text's
/// meaning: numbers compare by value whatever case holds them, strings and keys by their code points (no Unicode normalisation),
/// objects whatever their order.
public enum JSON: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction and exponent that fits `Int`.
    case integer(Int)
    /// Any other number. Written as `null` where it is not finite, because JSON has no such numbers.
    case double(Double)
    /// A single-precision number, for writing. Written as `null` where it is not finite.
    case float(Float)
    /// A string.
    case string(String)
    /// An array.
    case array([JSON])
    /// An array of numbers only. Whole numbers are written without a fraction.
    case numbers([Double])
    /// An object.
    case object(JSONObject)
}
