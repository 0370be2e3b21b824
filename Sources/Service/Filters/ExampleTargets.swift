internal import Formats
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// The targets of a dataset's examples as a filter asks about them, read piece by piece.
final class ExampleTargets {
    /// Rows read at a time: 4 MiB of them.
    private static let together = 1 << 20

    private let dataset: DatasetRecord
    private let store: Store
    private let condition: FilterCondition?
    private var piece: (rows: Range<Int>, targets: Targets)?

    /// - Throws: `Problem` where there is a condition, and no target it could be of.
    init(of dataset: DatasetRecord, from store: Store, condition: FilterCondition?, at pointer: JSONPointer) throws {
        (self.dataset, self.store) = (dataset, store)
        guard var condition else {
            self.condition = nil
            return
        }
        guard dataset.hasTargets, dataset.targetShape.isEmpty else {
            let reason = dataset.hasTargets ? "targets of several numbers each" : "no targets"
            throw Problem(
                at: pointer.appending("target").description,
                "cannot be asked for: the examples of dataset '\(dataset.name)' have \(reason)")
        }
        if dataset.targetType == .float32 { condition = condition.inSinglePrecision }
        self.condition = condition
    }

    /// Those of some examples, by ascending index, whose targets are as asked for; all where nothing is.
    func meeting(among indices: some Sequence<UInt32>, _ interruption: Interruption) throws -> [UInt32] {
        var count = 0
        return try indices.filter { index in
            if count % 65_536 == 0 { try interruption.check() }
            count += 1
            return try condition?.holds(of: value(of: Int(index))) ?? true
        }
    }

    private func value(of index: Int) throws -> FilterScalar {
        if piece?.rows.contains(index) != true {
            let first = index / Self.together * Self.together
            let rows = first..<min(first + Self.together, dataset.rowCount)
            piece = (rows, try dataset.targets(rows: rows, from: store))
        }
        guard let piece else { return .null }
        switch piece.targets {
        case .labels(let labels): return .integer(Int(labels[index - piece.rows.lowerBound]))
        case .values(let values): return FilterScalar(Double(values[index - piece.rows.lowerBound]))
        }
    }

    /// The targets there are, for a message: the commonest labels, or the span of values.
    static func listed(of dataset: DatasetRecord, from store: Store, _ interruption: Interruption) throws -> String {
        let all = try ExampleTargets(of: dataset, from: store, condition: FilterCondition(), at: .root)
        var counts: [Int: Int] = [:]
        var (least, greatest) = (Double.infinity, -Double.infinity)
        for index in 0..<dataset.rowCount {
            if index % 65_536 == 0 { try interruption.check() }
            let value = try all.value(of: index)
            if case .integer(let label) = value, counts.count < 1_000 { counts[label, default: 0] += 1 }
            least = min(least, value.number ?? least)
            greatest = max(greatest, value.number ?? greatest)
        }
        return dataset.targetType == .int32
            ? MetadataSurvey.list(counts.map { ("\($0.key)", $0.value) }) : "values from \(Float(least)) to \(Float(greatest))"
    }
}

extension FilterCondition {
    /// The condition on numbers that were rounded to single precision, as it was meant before.
    fileprivate var inSinglePrecision: Self {
        func rounded(_ value: FilterScalar) -> FilterScalar { value.number.map { FilterScalar(Double(Float($0))) } ?? value }
        return FilterCondition(
            wanted: wanted.map { Set($0.map(rounded)) }, unwanted: Set(unwanted.map(rounded)), minimum: minimum.map(rounded),
            maximum: maximum.map(rounded), exists: exists)
    }
}
