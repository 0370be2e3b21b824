internal import Attribution
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

extension ParametersAnswer {
    /// The answer as the interface shows it.
    func json(id: String) -> JSON {
        [
            "id": .string(id), "model": .string(model.record.name), "checkpoint": .string(model.checkpoint.name),
            "n_train": .integer(model.gradients.count), "results": .array(results.map(json)),
        ]
    }

    private func json(_ result: Result) -> JSON {
        let count = Double(model.gradients.count)
        let norm = Vectors.norm(result.step)
        var members: JSONObject = ["removed": removed(result), "influence_norm": .double(norm)]
        members["change_norm_if_removed"] = .double(norm / count)
        if let parameters {
            let size = Vectors.norm(parameters)
            if size > 0 { members["relative_change_if_removed"] = .double(norm / count / size) }
        }
        members["tensors"] = .array(tensors.map { json($0, result.step, count) })
        if request.include.contains(.influence) {
            members["influence"] = .tensor(result.step.map { -$0 }, shape: [result.step.count])
        }
        var diagnostics: JSONObject = [:]
        solving.add(result.solved, to: &diagnostics)
        members["diagnostics"] = .object(diagnostics)
        return .object(members)
    }

    private func removed(_ result: Result) -> JSON {
        if let name = result.removal.name { return ["name": .string(name), "size": .integer(result.indices.count)] }
        let index = Int(result.indices[0])
        var members: JSONObject = ["index": .integer(index)]
        if let id = annotations[index]?.id { members["id"] = .string(id) }
        if let targets = model.training.targets { members["target"] = .target(targets.number(index)) }
        if request.include.contains(.metadata) { members["metadata"] = annotations[index]?.metadataJSON ?? .object([:]) }
        return .object(members)
    }

    /// One tensor's part, with the entries that move most: of equals the first.
    private func json(_ tensor: TrainedTensor, _ step: [Float], _ count: Double) -> JSON {
        let part = Array(step[tensor.range])
        let ends = part.withUnsafeBufferPointer { TopK(of: $0, count: request.k) }
        let largest = (ends.proponents + ends.opponents).sorted { (abs($1.score), $0.index) < (abs($0.score), $1.index) }
        return [
            "name": .string(tensor.name), "shape": .numbers(tensor.shape.map(Double.init)),
            "change_norm_if_removed": .double(Vectors.norm(part) / count),
            "largest": .array(
                largest.prefix(request.k).map(\.index).map { place in
                    var entry: JSONObject = ["index": .numbers(Self.indices(of: place, in: tensor.shape))]
                    if let parameters { entry["parameter"] = .float(parameters[tensor.range.lowerBound + place]) }
                    entry["change_if_removed"] = .double(Double(part[place]) / count)
                    return .object(entry)
                }),
        ]
    }

    /// The place of an element in a row-major tensor.
    private static func indices(of place: Int, in shape: [Int]) -> [Double] {
        var (rest, indices): (Int, [Double]) = (place, [])
        for extent in shape.reversed() {
            indices.append(Double(rest % extent))
            rest /= extent
        }
        return indices.reversed()
    }
}
