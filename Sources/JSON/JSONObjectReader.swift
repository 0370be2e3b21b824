/// The members of an object, to be read as what they should be. Failures go to the shared list; see ``JSONReader``.
///
/// Each kind of value comes as up to three methods: `integer(_:in:)` for a member that must be there (nil if it is not or is
/// wrong), `optionalInteger(_:in:)` for one that may be left out (nil then, too), and `integer(_:default:in:)` for one that has
/// a default (which stands in for a wrong value as well, the issue being reported). A `null` counts as left out.
public struct JSONObjectReader {
    /// The members.
    public let members: JSONObject
    /// The place of the object.
    public let pointer: JSONPointer
    /// The list that issues go to.
    public let issues: JSONIssueCollector

    /// Whether there is a member `key` other than `null`.
    public func has(_ key: String) -> Bool { members[key].map { !$0.isNull } ?? false }

    /// Reports something about the member `key` that only the caller can know.
    public func report(_ key: String, _ detail: String) {
        issues.report(pointer.appending(key), detail)
    }

    /// Reports something about the object as a whole.
    public func report(_ detail: String) {
        issues.report(pointer, detail)
    }

    /// A reader of the member `key`; nil if it is left out, which is no issue.
    public func optionalValue(_ key: String) -> JSONReader? {
        guard let json = members[key], !json.isNull else { return nil }
        return JSONReader(json, at: pointer.appending(key), issues: issues)
    }

    /// A reader of the member `key`, which must be there.
    /// - Parameter expected: what it should be, for the issue: "a string".
    public func value(_ key: String, _ expected: String = "a value") -> JSONReader? {
        if let reader = optionalValue(key) { return reader }
        report(key, "is missing; \(expected) is required")
        return nil
    }
}

extension JSONObjectReader {
    /// The required string `key`.
    public func string(_ key: String) -> String? { value(key, "a string")?.string() }

    /// The string `key`, if there is one.
    public func optionalString(_ key: String) -> String? { optionalValue(key)?.string() }

    /// The string `key`, or its default.
    public func string(_ key: String, default standard: String) -> String { optionalString(key) ?? standard }

    /// The required truth value `key`.
    public func bool(_ key: String) -> Bool? { value(key, "true or false")?.bool() }

    /// The truth value `key`, if there is one.
    public func optionalBool(_ key: String) -> Bool? { optionalValue(key)?.bool() }

    /// The truth value `key`, or its default.
    public func bool(_ key: String, default standard: Bool) -> Bool { optionalBool(key) ?? standard }

    /// The required integer `key` within `range`.
    public func integer(_ key: String, in range: ClosedRange<Int> = .min ... .max) -> Int? {
        value(key, Expectation.integer(in: range))?.integer(in: range)
    }

    /// The integer `key` within `range`, if there is one.
    public func optionalInteger(_ key: String, in range: ClosedRange<Int> = .min ... .max) -> Int? {
        optionalValue(key)?.integer(in: range)
    }

    /// The integer `key` within `range`, or its default, which need not be within.
    public func integer(_ key: String, default standard: Int, in range: ClosedRange<Int> = .min ... .max) -> Int {
        optionalInteger(key, in: range) ?? standard
    }

    /// The required finite number `key` within `range`.
    public func number(_ key: String, in range: ClosedRange<Double> = -.infinity ... .infinity) -> Double? {
        value(key, Expectation.number(in: range))?.number(in: range)
    }

    /// The finite number `key` within `range`, if there is one.
    public func optionalNumber(_ key: String, in range: ClosedRange<Double> = -.infinity ... .infinity) -> Double? {
        optionalValue(key)?.number(in: range)
    }

    /// The finite number `key` within `range`, or its default, which need not be within.
    public func number(_ key: String, default standard: Double, in range: ClosedRange<Double> = -.infinity ... .infinity)
        -> Double
    {
        optionalNumber(key, in: range) ?? standard
    }

    /// The required member `key`, one of `choices`.
    public func choice(_ key: String, of choices: [String]) -> String? {
        value(key, Expectation.choice(of: choices))?.choice(of: choices)
    }

    /// The member `key`, one of `choices`, if there is one.
    public func optionalChoice(_ key: String, of choices: [String]) -> String? { optionalValue(key)?.choice(of: choices) }

    /// The member `key`, one of `choices`, or its default.
    public func choice(_ key: String, of choices: [String], default standard: String) -> String {
        optionalChoice(key, of: choices) ?? standard
    }
}

extension JSONObjectReader {
    /// The required object `key`, its unknown members reported unless `allowed` is nil.
    public func object(_ key: String, allowing allowed: [String]? = nil) -> JSONObjectReader? {
        value(key, "an object")?.object(allowing: allowed)
    }

    /// The object `key`, if there is one, its unknown members reported unless `allowed` is nil.
    public func optionalObject(_ key: String, allowing allowed: [String]? = nil) -> JSONObjectReader? {
        optionalValue(key)?.object(allowing: allowed)
    }

    /// The required array `key`, a reader for each element.
    public func array(_ key: String, count: ClosedRange<Int> = 0 ... .max) -> [JSONReader]? {
        value(key, Expectation.array(of: "values", count: count))?.array(count: count)
    }

    /// The array `key`, if there is one, a reader for each element.
    public func optionalArray(_ key: String, count: ClosedRange<Int> = 0 ... .max) -> [JSONReader]? {
        optionalValue(key)?.array(count: count)
    }
}
