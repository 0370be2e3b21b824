internal import Formats
internal import Foundation
internal import JSON
internal import Service

/// An answer for people to read: tables of examples, of entries of parameters, or of predictions.
struct AnswerTable {
    let text: String

    init(_ answer: JSON, of route: QueryRoute) {
        let heading = "model \(Self.word(answer["model"])), checkpoint \(Self.word(answer["checkpoint"]))"
        let count = answer["n_train"]?.integerValue.map { ", \($0) training examples" } ?? ""
        let results = answer["results"]?.arrayValue ?? []
        let lines =
            switch route {
            case .influence where answer["compare"] != nil: results.flatMap(Self.comparison)
            case .influence: results.flatMap(Self.influence)
            case .parameters: results.flatMap(Self.removal)
            case .slices: Self.slices(answer)
            case .selfInfluence: Self.selfInfluence(answer)
            case .predict: Self.predictions(results)
            }
        text = ([heading + count] + lines).joined(separator: "\n")
    }

    private static func influence(_ result: JSON) -> [String] {
        ["", "test \(text(result["test"]))"] + rankings(of: result) + ["diagnostics \(text(result["diagnostics"]))"]
    }

    private static func rankings(of result: JSON) -> [String] {
        let (loss, measurement) = ("predicted_loss_change_if_removed", "predicted_measurement_change_if_removed")
        let ends = ["proponents", "opponents"].map { result[$0]?.arrayValue ?? [] }
        let groups = result["groups"]?.arrayValue ?? []
        let isMeasured = (ends.joined() + groups).contains { $0[measurement] != nil }
        let title = isMeasured ? "measurement change if removed" : "loss change if removed"
        func scores(_ scored: JSON) -> [String] {
            [number(scored["score"]), number(scored["standard_error"]), number(scored[isMeasured ? measurement : loss])]
        }
        var lines: [String] = []
        for (name, examples) in zip(["proponents (helpful)", "opponents (harmful)"], ends) {
            lines += [name, row(["index", "target", "score", "± error", title])]
            lines += examples.map { row([text($0["index"]), text($0["target"])] + scores($0)) }
        }
        guard !groups.isEmpty else { return lines }
        lines += ["groups", row(["name", "size", "score", "± error", title])]
        return lines + groups.map { row([word($0["name"]).legible(limit: 128), text($0["size"])] + scores($0)) }
    }

    /// Of methods that are compared.
    private static func comparison(_ result: JSON) -> [String] {
        var lines = ["", "test \(text(result["test"]))"]
        for method in result["methods"]?.arrayValue ?? [] { lines += ["method \(word(method["method"]))"] + rankings(of: method) }
        lines += ["agreement", row(["methods", "", "Kendall's τ", "Spearman's ρ", "proponents", "opponents"], width: 18)]
        for pair in result["agreement"]?.arrayValue ?? [] {
            lines.append(
                row(
                    (pair["methods"]?.arrayValue ?? []).map { word($0) }
                        + ["kendall_tau", "spearman", "proponents_overlap", "opponents_overlap"].map { number(pair[$0]) },
                    width: 18))
        }
        return lines
    }

    /// What removing examples does to the parameters.
    private static func removal(_ result: JSON) -> [String] {
        var lines = [
            "", "removed \(text(result["removed"]))",
            "‖influence‖ \(number(result["influence_norm"])), ‖change‖ \(number(result["change_norm_if_removed"]))",
        ]
        for tensor in result["tensors"]?.arrayValue ?? [] {
            lines.append(
                "tensor \(word(tensor["name"])) \(text(tensor["shape"])), ‖change‖ \(number(tensor["change_norm_if_removed"]))")
            lines.append(row(["entry", "parameter", "change if removed"]))
            for entry in tensor["largest"]?.arrayValue ?? [] {
                lines.append(row([text(entry["index"]), number(entry["parameter"]), number(entry["change_if_removed"])]))
            }
        }
        return lines + ["diagnostics \(text(result["diagnostics"]))"]
    }

    /// A row for each slice of the training data, a column for each slice of tests.
    private static func slices(_ answer: JSON) -> [String] {
        let tests = answer["test_slices"]?.arrayValue ?? []
        let columns = tests.map { "\(word($0["name"]).legible(limit: 128)) (\(text($0["size"])))" }
        var lines = ["method \(word(answer["method"])): \(word(answer["orientation"]))"]
        for (key, title) in [("mean", "mean score"), ("helpful", "scores above 0"), ("harmful", "scores below 0")] {
            lines += ["", title, row([""] + columns, width: 18)]
            for (slice, cells) in zip(answer["training_slices"]?.arrayValue ?? [], answer["matrix"]?.arrayValue ?? []) {
                let name = "\(word(slice["name"]).legible(limit: 128)) (\(text(slice["size"])))"
                lines.append(row([name] + (cells.arrayValue ?? []).map { number($0[key]) }, width: 18))
            }
        }
        return lines + ["", "diagnostics \(text(answer["diagnostics"]))"]
    }

    private static func selfInfluence(_ answer: JSON) -> [String] {
        var lines = [
            "method \(word(answer["method"])): \(word(answer["orientation"]))", "",
            row(["index", "target", "predicted", "score", "loss change if removed"]),
        ]
        for example in answer["examples"]?.arrayValue ?? [] {
            lines.append(
                row([
                    text(example["index"]), text(example["target"]),
                    (example["prediction"]?["label"]).map { text($0) } ?? number(example["prediction"]?["value"]),
                    number(example["score"]),
                    number(example["predicted_loss_change_if_removed"]),
                ]))
        }
        lines += ["", row(["of all", "score"]), row(["mean", number(answer["mean"])])]
        for quantile in answer["quantiles"]?.arrayValue ?? [] {
            let share = (quantile["probability"]?.doubleValue).map { String(format: "%g %%", $0 * 100) } ?? "-"
            lines.append(row([share, number(quantile["score"])]))
        }
        return lines + ["", "diagnostics \(text(answer["diagnostics"]))"]
    }

    private static func predictions(_ results: [JSON]) -> [String] {
        ["", row(["test", "target", "predicted", "probability", "loss"], width: 20)]
            + results.map { result in
                let name = result["dataset"].map { "\(word($0)) \(text(result["index"]))" } ?? "input"
                let label = result["label"]
                let probabilities = result["probabilities"]?.arrayValue
                return row(
                    [
                        name, text(result["target"]), label.map { text($0) } ?? number(result["outputs"]?[0]),
                        number(probabilities?.max { ($0.doubleValue ?? 0) < ($1.doubleValue ?? 0) }), number(result["loss"]),
                    ], width: 20)
            }
    }

    private static func word(_ json: JSON?) -> String { json?.stringValue ?? "" }
    private static func text(_ json: JSON?) -> String { json?.text ?? "-" }
    private static func number(_ json: JSON?) -> String { json?.doubleValue.map { String(format: "%.4g", $0) } ?? "-" }

    private static func row(_ cells: [String], width: Int = 12) -> String {
        "  " + cells.map { String(repeating: " ", count: max(0, width - $0.count)) + $0 }.joined(separator: " ")
    }
}
