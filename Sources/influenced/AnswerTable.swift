internal import Foundation
internal import JSON

/// An answer for people to read: a table of examples for each result.
struct AnswerTable {
    let text: String

    init(_ answer: JSON) {
        var lines = [
            "model \(answer["model"]?.stringValue ?? ""), checkpoint \(answer["checkpoint"]?.stringValue ?? ""), "
                + "\(answer["n_train"]?.integerValue ?? 0) training examples"
        ]
        for result in answer["results"]?.arrayValue ?? [] {
            lines.append("")
            lines.append("test \(result["test"]?.text ?? "")")
            for (key, title) in [("proponents", "proponents (helpful)"), ("opponents", "opponents (harmful)")] {
                lines.append(title)
                lines.append(Self.row(["index", "target", "score", "± error", "loss change if removed"]))
                for example in result[key]?.arrayValue ?? [] { lines.append(Self.row(Self.cells(of: example))) }
            }
            lines.append("diagnostics \(result["diagnostics"]?.text ?? "")")
        }
        text = lines.joined(separator: "\n")
    }

    private static func cells(of example: JSON) -> [String] {
        func number(_ key: String) -> String {
            example[key]?.doubleValue.map { String(format: "%.4g", $0) } ?? "-"
        }
        return [
            example["index"]?.text ?? "", example["target"]?.text ?? "", number("score"), number("standard_error"),
            number("predicted_loss_change_if_removed"),
        ]
    }

    private static func row(_ cells: [String]) -> String {
        "  " + cells.map { String(repeating: " ", count: max(0, 12 - $0.count)) + $0 }.joined(separator: " ")
    }
}
