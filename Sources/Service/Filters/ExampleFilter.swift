/// Names examples of a dataset by what is known of them: their metadata, their targets and their ids.
///
///     {"where": {"source": "scanner-2", "width": {"min": 640}}, "target": [4, 9]}
///
/// All conditions must hold. `where` is about metadata, a member for each key: a value (equal), an array (any of these), or an object of
/// `min`, `max` (inclusive), `not` (a value or an array: none of these) and `exists`. A key with dots is that of a member whose name it is,
/// or else the way through nested objects. A list in the metadata is searched: one of its elements must be as asked for. `target` and `id`
/// stand beside `where`, so that no key of metadata is in their way, and are conditions of the same kind.
///
/// Equal filters are equal values however they were written, so that with the `DatasetRecord`, which is another one for a dataset that was
/// imported anew, a filter is the key of its result.
public struct ExampleFilter: Hashable, Sendable {
    /// The members of an object that make a filter.
    public static let fields = ["where", "target", "id"]

    /// The most conditions there may be, and the most values in one.
    static let limits = (keys: 32, values: 100_000)

    /// What is asked of the metadata, by key in UTF-8: two spellings of one letter are different keys to JSON.
    let metadata: [[UInt8]: FilterCondition]
    /// What is asked of the target.
    let target: FilterCondition?
    /// What is asked of the id.
    let id: FilterCondition?

    init(metadata: [[UInt8]: FilterCondition], target: FilterCondition? = nil, id: FilterCondition? = nil) {
        self.metadata = metadata
        self.target = target
        self.id = id
    }

    /// What is asked of the metadata, in one order.
    var orderedMetadata: [(key: [UInt8], condition: FilterCondition)] {
        metadata.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }
}
