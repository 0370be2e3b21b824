internal import Store

/// One pass of a filter over a dataset's annotations, by ascending index.
struct FilterPass {
    /// The conditions on metadata, in the order of the counts.
    let conditions: [(key: FilterKey, condition: FilterCondition)]
    /// Examples that have each key.
    private(set) var present: [Int]
    /// Examples that each condition holds of.
    private(set) var matches: [Int]
    /// Examples whose id is as asked for.
    private(set) var idMatches = 0
    /// Examples that have an id.
    private(set) var idCount = 0
    /// Ids that were asked for and have not been seen.
    private(set) var missingIDs: Set<FilterScalar>
    /// The examples that meet all conditions on annotations.
    private(set) var indices: [UInt32] = []

    private let id: FilterCondition?
    /// Whether examples without annotations meet what is asked of these.
    private let takesBare: Bool
    /// The next example.
    private var next = 0

    init(_ filter: ExampleFilter) {
        conditions = filter.orderedMetadata.map { (FilterKey($0.key), $0.condition) }
        present = [Int](repeating: 0, count: conditions.count)
        matches = present
        id = filter.id
        missingIDs = filter.id?.wanted ?? []
        takesBare = filter.id?.holds(of: nil) ?? true && conditions.allSatisfy { $0.condition.holds(of: nil) }
    }

    /// Takes examples without annotations, up to one that is not among them.
    mutating func skip(to end: Int) {
        guard next < end else { return }
        for place in conditions.indices where conditions[place].condition.holds(of: nil) { matches[place] += end - next }
        if id?.holds(of: nil) ?? false { idMatches += end - next }
        if takesBare { indices.append(contentsOf: UInt32(next)..<UInt32(end)) }
        next = end
    }

    /// Takes the next example.
    mutating func take(_ annotation: PassingAnnotation) {
        skip(to: annotation.index)
        var isMet = true
        let text = annotation.metadata.map { MetadataText(bytes: $0) }
        for (place, (key, condition)) in conditions.enumerated() {
            let values = text?.values(of: key)
            if values != nil { present[place] += 1 }
            if condition.holds(of: values) { matches[place] += 1 } else { isMet = false }
        }
        if let id {
            let value = annotation.id.map { FilterScalar.text(Array($0)) }
            if let value {
                idCount += 1
                missingIDs.remove(value)
            }
            if id.holds(of: value.map { [$0] }) { idMatches += 1 } else { isMet = false }
        }
        if isMet { indices.append(UInt32(annotation.index)) }
        next = annotation.index + 1
    }
}
