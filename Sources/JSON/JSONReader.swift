/// A value with its place, to be read as what it should be.
///
/// What is wrong goes to a list shared with every reader made from this one, so that reading on after a failure finds all
/// problems at once: a method that fails reports one issue and returns nil, and `issues.check()` at the end throws what was
/// reported.
///
///     let reader = JSONReader(json)
///     let object = reader.object(allowing: ["model", "k"])
///     let model = object?.string("model")
///     let k = object?.integer("k", default: 10, in: 1...1000)
///     try reader.issues.check()
public struct JSONReader {
    /// The value.
    public let json: JSON
    /// Its place.
    public let pointer: JSONPointer
    /// The list that issues go to.
    public let issues: JSONIssueCollector

    /// A reader of a value.
    /// - Parameters:
    ///   - json: the value.
    ///   - pointer: its place in the text it is from.
    ///   - issues: the list that issues go to.
    public init(_ json: JSON, at pointer: JSONPointer = .root, issues: JSONIssueCollector = JSONIssueCollector()) {
        self.json = json
        self.pointer = pointer
        self.issues = issues
    }

    /// Reports something about this value that only the caller can know.
    public func report(_ detail: String) {
        issues.report(pointer, detail)
    }

    /// Reports that the value is not `expected`.
    func reportMismatch(_ expected: String) {
        report("must be \(expected); got \(json.abbreviated)")
    }
}

extension JSONReader {
    /// The value as an object. Members whose keys are not in `allowed` are reported, each with the key that was meant if one is
    /// close.
    /// - Parameter allowed: the keys there may be; nil for any.
    public func object(allowing allowed: [String]? = nil) -> JSONObjectReader? {
        guard case .object(let members) = json else {
            reportMismatch("an object")
            return nil
        }
        if let allowed {
            for (key, _) in members where !allowed.contains(key) {
                let suggestion = SpellingSuggestion.closest(to: key, among: allowed).map { "; did you mean \"\($0)\"?" } ?? ""
                let known = allowed.isEmpty ? "there are none" : "known: \(allowed.joined(separator: ", "))"
                issues.report(pointer.appending(key), "is not a known field (\(known))\(suggestion)")
            }
        }
        return JSONObjectReader(members: members, pointer: pointer, issues: issues)
    }

    /// The value as a string.
    public func string() -> String? {
        if case .string(let value) = json { return value }
        reportMismatch("a string")
        return nil
    }

    /// The value as `true` or `false`.
    public func bool() -> Bool? {
        if case .bool(let value) = json { return value }
        reportMismatch("true or false")
        return nil
    }

    /// The value as an integer within `range`; 5.0 counts as 5.
    public func integer(in range: ClosedRange<Int> = .min ... .max) -> Int? {
        if let value = json.integerValue, range.contains(value) { return value }
        reportMismatch(Expectation.integer(in: range))
        return nil
    }

    /// The value as a finite number within `range`.
    public func number(in range: ClosedRange<Double> = -.infinity ... .infinity) -> Double? {
        if let value = json.doubleValue, value.isFinite, range.contains(value) { return value }
        reportMismatch(Expectation.number(in: range))
        return nil
    }

    /// The value as one of `choices`, which the issue lists otherwise.
    public func choice(of choices: [String]) -> String? {
        guard case .string(let value) = json else {
            reportMismatch(Expectation.choice(of: choices))
            return nil
        }
        if choices.contains(value) { return value }
        let suggestion = SpellingSuggestion.closest(to: value, among: choices).map { "; did you mean \"\($0)\"?" } ?? ""
        report("must be \(Expectation.choice(of: choices)); got \(json.abbreviated)\(suggestion)")
        return nil
    }
}
