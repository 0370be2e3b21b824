internal import HTTPTypes
internal import JSON
internal import Store

/// Which checkpoints of a model a method goes through.
enum CheckpointList: Hashable, Sendable {
    case all
    case named([String])

    /// How many a request may name.
    private static let counts = 1...1_000

    static let schema = Schema.oneOf([
        .constant("all"), .array(of: .string(), count: counts).unique.described("Their names."),
    ])

    /// Reads names, or `"all"`, from a request's member; nil where it is left out.
    init?(_ key: String, of object: JSONObjectReader) {
        guard let value = object.optionalValue(key) else { return nil }
        if value.json.stringValue == "all" {
            self = .all
            return
        }
        guard case .array = value.json else {
            value.report("must be \"all\" or an array of checkpoints' names")
            return nil
        }
        let names = (value.array(count: Self.counts) ?? []).compactMap { $0.string() }
        if Set(names).count < names.count { value.report("names a checkpoint twice") }
        self = .named(names)
    }

    /// As they were written.
    var names: [String] { if case .named(let names) = self { names } else { [] } }

    /// Their records, in the order in which they were named, or were taken in.
    /// - Throws: 404 naming what there is; `StoreError`.
    func records(of model: ModelRecord, in engine: Engine) throws -> [CheckpointRecord] {
        let all = try engine.store.checkpoints(of: model)
        guard case .named(let names) = self else { return all }
        return try names.enumerated().map { place, name in
            guard let record = all.first(where: { $0.name == name }) else {
                throw Problem(
                    .notFound, "unknown-checkpoint", at: "/checkpoints/\(place)",
                    "model '\(model.name)' has no checkpoint '\(name)'; there are: \(all.map(\.name).joined(separator: ", "))")
            }
            return record
        }
    }
}
