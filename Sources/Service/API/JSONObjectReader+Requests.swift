internal import JSON

// What several of our requests read alike.
extension JSONObjectReader {
    /// A request's `id`: a short string of the client's.
    func requestID() -> String? {
        guard let id = optionalString("id") else { return nil }
        if id.isEmpty || id.unicodeScalars.count > 128 { report("id", "must be a string of 1 to 128 characters") }
        return id
    }

    /// A request's `deadline_ms`; nil for the configuration's.
    func deadline(_ limits: RequestLimits) -> Int? {
        optionalInteger("deadline_ms", in: 1...limits.maximumDeadlineMilliseconds)
    }

    /// The cache that a request's `gradients` names; nil for exact ones, also by their name: that makes no other question.
    func gradients() -> String? {
        optionalString("gradients").flatMap { $0 == ChosenGradients.exact ? nil : $0 }
    }

    /// Sets of training examples, none of one name.
    func groups(_ limits: RequestLimits) -> [InfluenceRequest.Group] {
        let groups = (optionalArray("groups", count: 1...limits.maximumGroups) ?? []).compactMap { InfluenceRequest.Group($0) }
        if Set(groups.map(\.name)).count < groups.count { report("groups", "names a group twice") }
        return groups
    }

    /// One of an enumeration's raw values.
    func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String, of: Choice.Type) -> Choice? {
        optionalChoice(key, of: Choice.allCases.map(\.rawValue)).flatMap { Choice(rawValue: $0) }
    }

    /// One of an enumeration's raw values, or its default.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String, default standard: Choice) -> Choice {
        optionalChoice(key, of: Choice.self) ?? standard
    }

    /// An integer, or nil for `"auto"` and where it is left out.
    func automaticInteger(_ key: String, in range: ClosedRange<Int>) -> Int? {
        isAutomatic(key) ? nil : optionalInteger(key, in: range)
    }

    /// A number, or nil for `"auto"` and where it is left out.
    func automaticNumber(_ key: String, in range: ClosedRange<Double>) -> Double? {
        isAutomatic(key) ? nil : optionalNumber(key, in: range)
    }

    /// Reports the members that are not in `allowed`.
    func optionalFields(_ allowed: [String]) -> JSONObjectReader? {
        JSONReader(.object(members), at: pointer, issues: issues).object(allowing: allowed)
    }

    private func isAutomatic(_ key: String) -> Bool { members[key]?.stringValue == "auto" }
}

extension JSONReader {
    /// The set that a list of names makes.
    func options<Options: OptionSet>(_ names: [(String, Options)]) -> Options where Options.Element == Options {
        (array(count: 0...8) ?? []).reduce(into: []) { set, element in
            guard let name = element.choice(of: names.map(\.0)) else { return }
            for (known, bit) in names where known == name { set.insert(bit) }
        }
    }
}

extension JSONObject {
    /// These members, and `others` behind them.
    func merging(_ others: JSONObject) -> JSONObject {
        var merged = self
        for (key, value) in others { merged[key] = value }
        return merged
    }
}
