public import Foundation

/// A matrix of numbers as comma-separated values (RFC 4180), with or without a row of column names.
///
/// The first row is taken for names if any of its fields is a word: neither a number nor empty, `nan` or `inf`, which are errors
/// there as elsewhere. Values are single-precision numbers even if all are small integers: text does not say which of both is
/// meant.
public struct CSVFile: Sendable {
    /// The file as the user named it.
    public let file: String
    /// The column names of the first row; nil where the first row is numbers.
    public let header: [String]?
    /// The numbers: float32, of shape [rows, columns].
    public let values: Tensor

    /// The matrix in a CSV file. O(n).
    /// - Parameters:
    ///   - bytes: the whole file, in UTF-8; a byte order mark is skipped.
    ///   - file: its name, for errors.
    /// - Throws: where there are no rows, a row has more or fewer columns than the first, a quote is out of place, or a field is
    ///   no finite number in single precision; with line and column.
    public init(_ bytes: Data, file: String) throws(FormatError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(FormatError) in
                var reader = CSVReader(bytes: buffer, file: file)
                try reader.readAll()
                return (reader.header, reader.values, reader.columnCount)
            }
        }
        let (header, values, columnCount) = try result.get()
        guard !values.isEmpty else {
            throw FormatError(
                file: file, reason: header == nil ? "the file is empty" : "there are no rows below the column names")
        }
        self.file = file
        self.header = header
        self.values = Tensor(unchecked: .float32, [values.count / columnCount, columnCount], values.withUnsafeBytes { Data($0) })
    }

    /// The column `name`, of shape [rows].
    /// - Throws: where there are no column names, not this one, or this one twice.
    public func column(named name: String) throws(FormatError) -> Tensor {
        guard let header else {
            throw FormatError(file: file, part: name, reason: "there are no column names: the first row is numbers")
        }
        guard let index = header.firstIndex(of: name) else {
            throw FormatError(
                file: file, part: name, reason: "there is no column of this name; there are: \(header.joined(separator: ", "))")
        }
        guard header.lastIndex(of: name) == index else {
            throw FormatError(file: file, part: name, reason: "two columns have this name")
        }
        var column = Data(capacity: values.rowCount * values.elementType.byteCount)
        for row in 0..<values.rowCount {
            let start = values.bytes.startIndex + row * values.rowByteCount + index * values.elementType.byteCount
            column.append(values.bytes[start..<start + values.elementType.byteCount])
        }
        return Tensor(unchecked: values.elementType, [values.rowCount], column)
    }
}
