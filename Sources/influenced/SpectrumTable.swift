internal import Foundation
internal import JSON

/// A spectrum for people to read.
struct SpectrumTable {
    let text: String

    init(_ answer: JSON) {
        func number(_ json: JSON?) -> String { json?.doubleValue.map { String(format: "%.6g", $0) } ?? "-" }
        func word(_ key: String) -> String { answer[key]?.stringValue ?? "" }
        var lines = [
            "model \(word("model")), checkpoint \(word("checkpoint")), \(word("curvature"))",
            "\(answer["n_train"]?.integerValue ?? 0) training examples, \(answer["parameter_count"]?.integerValue ?? 0) parameters",
            "", Self.row(["eigenvalue", "± residual"]),
        ]
        for value in answer["eigenvalues"]?.arrayValue ?? [] {
            lines.append(Self.row([number(value["value"]), number(value["residual"])]))
        }
        lines += [
            "smallest \(number(answer["smallest"]?["value"])) ± \(number(answer["smallest"]?["residual"])), trace \(number(answer["trace"]))",
            "", Self.row(["magnitude", "positive", "negative"]),
        ]
        let bins = answer["density"]?["logarithmic"]
        let edges = bins?["edges"]?.numbersValue ?? []
        let (positive, negative) = (bins?["positive"]?.numbersValue ?? [], bins?["negative"]?.numbersValue ?? [])
        for (bin, counts) in zip(positive, negative).enumerated().reversed() where counts.0 > 0.05 || counts.1 > 0.05 {
            lines.append(
                Self.row([
                    String(format: "%.2g to %.2g", edges[bin], edges[bin + 1]), String(format: "%.1f", counts.0),
                    String(format: "%.1f", counts.1),
                ]))
        }
        lines.append(Self.row(["less", bins?["near_zero"]?.doubleValue.map { String(format: "%.1f", $0) } ?? "-"]))
        for part in ["definiteness", "convergence"] { lines += ["", answer[part]?["summary"]?.stringValue ?? ""] }
        text = lines.joined(separator: "\n")
    }

    private static func row(_ cells: [String]) -> String {
        "  " + cells.map { String(repeating: " ", count: max(0, 20 - $0.count)) + $0 }.joined(separator: " ")
    }
}
