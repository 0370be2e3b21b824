internal import Formats

/// Looks whether values are finite in single precision, as they are and divided.
struct ValueScan {
    /// What the values will be divided by.
    var divisor = 1.0

    /// Looks through a tensor, whose file may be larger than memory.
    /// - Parameter firstRow: what an error calls the first of the rows.
    /// - Throws: `FormatError` naming the row and the column of the first value that is of no use.
    func check(_ tensor: Tensor, firstRow: Int = 0, file: String) throws(FormatError) {
        let multiplier = Float(1 / divisor)
        guard multiplier.isFinite, multiplier > 0 else {
            throw FormatError(file: file, reason: "divided by \(divisor), its numbers are beyond single precision")
        }
        let step = max(1, (1 << 20) / max(1, tensor.rowWidth))
        for start in stride(from: 0, to: tensor.rowCount, by: step) {
            let rows = start..<min(start + step, tensor.rowCount)
            guard !areUsable(tensor, rows, multiplier) else { continue }
            // Found once, and so slowly: the row, then the column.
            let row = rows.first { !areUsable(tensor, $0..<$0 + 1, multiplier) } ?? start
            let values = try? tensor.rows(row..<row + 1).reshaped([tensor.rowWidth])
            let column = values.flatMap { values in
                (0..<tensor.rowWidth).first { !areUsable(values, $0..<$0 + 1, multiplier) }
            }
            throw FormatError(
                file: file, part: "row \(firstRow + row), column \(column ?? 0)",
                reason: reason(against: try? values?.rows((column ?? 0)..<(column ?? 0) + 1)))
        }
    }

    /// What is wrong with a value.
    private func reason(against value: Tensor?) -> String {
        if value?.elementType == .bool { return "the value is neither 0 nor 1, which a boolean is" }
        return (try? value?.doubles()) == nil
            ? "the value is NaN or infinite; replace it, or leave the example out"
            : "the value\(divisor == 1 ? "" : ", divided by \(divisor),") is beyond single precision"
    }

    /// Whether all values of some rows are finite, as they are and divided.
    private func areUsable(_ tensor: Tensor, _ rows: Range<Int>, _ multiplier: Float) -> Bool {
        guard let values = try? tensor.rows(rows).floats() else { return false }
        return values.allSatisfy { ($0 * multiplier).isFinite }
    }
}
