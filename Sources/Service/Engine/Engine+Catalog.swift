internal import Attribution
internal import Formats
internal import Foundation
internal import HTTPTypes
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

// What the store holds, as the interface shows it.
extension Engine {
    /// All models, as `GET /models` shows them.
    func modelsJSON() throws -> JSON { ["models": .array(try store.models().map(json))] }

    /// One model.
    /// - Throws: 404 naming what there is.
    func modelJSON(_ name: String) throws -> JSON { try json(records(name, checkpoint: nil, at: "").0) }

    /// All datasets, as `GET /datasets` shows them.
    func datasetsJSON() throws -> JSON { ["datasets": .array(try store.datasets().map(json))] }

    /// One dataset.
    func datasetJSON(_ name: String) throws -> JSON { json(try datasetRecord(name, at: "")) }

    /// One example.
    func exampleJSON(_ dataset: String, index text: String) throws -> JSON {
        let record = try datasetRecord(dataset, at: "")
        guard let index = Int(text), String(index) == text, (0..<record.rowCount).contains(index) else {
            throw Problem(
                .notFound, "unknown-index",
                "dataset '\(dataset)' has \(record.rowCount) examples, 0 to \(record.rowCount - 1); got \(text)")
        }
        let annotation = try store.annotations(of: record, at: [index]).first
        let target = try record.targetJSON(row: index, from: store)
        let weight = try record.weights(rows: index..<index + 1, from: store)
        var members: JSONObject = ["index": .integer(index)]
        if let id = annotation?.id { members["id"] = .string(id) }
        if let target { members["target"] = target }
        if case .integer(let label) = target { members["label"] = .string(String(label)) }
        if let weight { members["weight"] = .float(weight[0]) }
        members["metadata"] = annotation?.metadataJSON ?? .object([:])
        if record.hasInputs {
            members["input"] = record.json(values: try record.features(rows: index..<index + 1, from: store).values(of: 0))
        }
        return .object(members)
    }

    private func json(_ dataset: DatasetRecord) -> JSON {
        [
            "name": .string(dataset.name), "n": .integer(dataset.rowCount),
            "shape": dataset.hasInputs ? .array(dataset.exampleShape.map { .integer($0) }) : .null,
            "dtype": dataset.hasInputs ? .string(dataset.elementType.rawValue) : .null, "divisor": .double(dataset.divisor),
            "target_dtype": dataset.hasTargets ? .string(dataset.targetType.rawValue) : .null,
            "weighted": .bool(dataset.hasWeights),
            "bytes": .integer(dataset.byteCount), "sha256": .string(dataset.sha256.description),
            "created_at": .string(dataset.createdAt.formatted(.iso8601)),
        ]
    }

    private func json(_ model: ModelRecord) throws -> JSON {
        let checkpoints = try store.checkpoints(of: model)
        let parameterCount =
            switch try model.form() {
            case .network(let spec):
                try Network(spec, exampleShape: store.dataset(named: model.dataset).exampleShape).parameterCount
            case .gradients(let spec): spec.width
            }
        return [
            "name": .string(model.name), "spec": try JSON(parsing: model.spec),
            "parameter_count": .integer(parameterCount), "dataset": .string(model.dataset),
            "checkpoints": .array(checkpoints.map(json)), "caches": .array(try checkpoints.flatMap { try caches($0, model) }),
        ]
    }

    private func json(_ checkpoint: CheckpointRecord) -> JSON {
        let training = checkpoint.training
        return [
            "name": .string(checkpoint.name), "step": training.step.map { .integer($0) } ?? .null,
            "epoch": training.epoch.map { .integer($0) } ?? .null,
            "learning_rate": training.learningRate.map { .double($0) } ?? .null,
            "train_loss": training.trainLoss.map { .double($0) } ?? .null,
            "sha256": .string(checkpoint.sha256.description),
        ]
    }

    private func caches(_ checkpoint: CheckpointRecord, _ model: ModelRecord) throws -> [JSON] {
        try caches(of: checkpoint, model).map { record, isStale in
            let kind = GradientCacheKind(name: record.kind)
            var members: JSONObject = [
                "checkpoint": .string(checkpoint.name), "kind": .string(kind?.form.rawValue ?? record.kind),
                "name": .string(record.kind), "dtype": .string(record.layout.elementType.rawValue),
                "bytes": .integer(record.layout.byteCount),
                "state": .string(isStale ? "stale" : record.state.rawValue),
            ]
            if let projection = kind?.projection {
                members["proj_type"] = .string(projection.kind.rawValue)
                members["proj_dim"] = .integer(projection.dimension)
                members["proj_seed"] = .integer(Int(clamping: projection.seed))
            }
            for (name, value) in record.accuracy.members { members[name] = value }
            return .object(members)
        }
    }
}
