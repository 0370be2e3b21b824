internal import JSON

/// What is asked of one member of the metadata, of the target or of the id.
struct FilterCondition: Hashable, Sendable {
    /// The value is one of these; nil for whatever value.
    var wanted: Set<FilterScalar>?
    /// The value is none of these. Where there is no value it is none of them either.
    var unwanted: Set<FilterScalar> = []
    /// The value is at least this.
    var minimum: FilterScalar?
    /// The value is at most this.
    var maximum: FilterScalar?
    /// Whether there is a value; nil for either.
    var exists: Bool?

    /// Whether the condition holds of a value.
    func holds(of value: FilterScalar) -> Bool { holds(of: [value]) }

    /// Whether the condition holds of a list of values, which it does where one of them is as asked for and none of them is unwanted;
    /// a list with nothing in it equals nothing. Nil is no value at all.
    func holds(of values: [FilterScalar]?) -> Bool {
        guard let values else { return exists != true && wanted == nil && minimum == nil && maximum == nil }
        guard exists != false, !values.contains(where: unwanted.contains) else { return false }
        guard wanted != nil || minimum != nil || maximum != nil else { return true }
        return values.contains { value in
            wanted?.contains(value) ?? true && minimum?.isAtMost(value) ?? (minimum == nil)
                && maximum.map { value.isAtMost($0) ?? false } ?? true
        }
    }
}
