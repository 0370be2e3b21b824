internal import JSON
internal import LinearAlgebra
internal import Store

/// Training examples as a request names them.
public enum ExampleSet: Hashable, Sendable {
    /// Rows of the training dataset.
    case indices([Int])
    /// Those that meet some conditions.
    case filter(ExampleFilter)

    /// The members of an object that make one.
    static let fields = ["indices"] + ExampleFilter.fields

    /// Reads a set from the members of an object that may have others: indices, or conditions.
    init?(_ object: JSONObjectReader) {
        let conditions = ExampleFilter.fields.filter(object.has)
        guard object.has("indices") else {
            guard !conditions.isEmpty else {
                object.report("must have indices, or conditions: where, target or id")
                return nil
            }
            guard let filter = ExampleFilter(object) else { return nil }
            self = .filter(filter)
            return
        }
        for condition in conditions {
            object.report(condition, "goes without indices, which name the examples already; leave one out")
        }
        guard
            let indices = object.value("indices", "an array of integers")?
                .integers(count: 1...Int(Int32.max), in: 0...Int(Int32.max))
        else { return nil }
        self = .indices(indices)
    }
}

/// Names what a filter finds in a dataset.
struct FilteredKey: Hashable, Sendable {
    let dataset: DatasetRecord
    let filter: ExampleFilter
}

extension Engine {
    /// The rows of a model's training dataset that a set names: in the order named, or by rising index.
    /// - Parameter pointer: the object in the request that names them.
    /// - Throws: `Problem` for rows that are not there, and for conditions that nothing meets; `StoreError`, `Interrupted`.
    func indices(
        of set: ExampleSet, in model: LoadedModel, at pointer: JSONPointer, interruption: Interruption
    ) throws -> [UInt32] {
        if case .indices(let indices) = set { try model.require(indices, at: pointer.appending("indices").description) }
        return try indices(of: set, in: model.training.record, at: pointer, interruption: interruption)
    }

    /// The same of several sets, which are in memory together.
    /// - Parameter subject: what they are, in words that a refusal begins with.
    /// - Throws: as above; 422 where they take too much.
    func indices(
        ofEach sets: [(set: ExampleSet, pointer: JSONPointer)], in model: LoadedModel, for subject: String,
        interruption: Interruption
    ) throws -> [[UInt32]] {
        var count = 0
        return try sets.map { set, pointer in
            let found = try indices(of: set, in: model, at: pointer, interruption: interruption)
            count += found.count
            try MemoryBudget(bytes: memoryBytes).require(
                .floatBytes(count), of: .quarter, for: subject, at: pointer.description)
            return found
        }
    }

    /// The rows of any dataset that a set names: in the order named, or by rising index.
    /// - Throws: as above; 404 for rows that are not there.
    func indices(
        of set: ExampleSet, in dataset: DatasetRecord, at pointer: JSONPointer, interruption: Interruption
    ) throws -> [UInt32] {
        switch set {
        case .indices(let indices):
            if let place = indices.firstIndex(where: { $0 >= dataset.rowCount }) {
                let pointer = pointer.appending("indices").appending(place)
                throw Problem.unknownIndex(indices[place], of: dataset, at: pointer.description)
            }
            return indices.map { UInt32($0) }
        case .filter(let filter):
            return try filtered.value(
                for: FilteredKey(dataset: dataset, filter: filter), cost: { $0.count * MemoryLayout<UInt32>.stride }
            ) {
                try filter.indices(in: dataset, from: store, at: pointer, interruption: interruption)
            }
        }
    }
}
