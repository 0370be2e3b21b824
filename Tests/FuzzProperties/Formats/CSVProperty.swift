import Formats
import Foundation

extension FuzzProperty {
    /// A CSV file: it is a matrix of finite numbers, those that Swift reads in its fields, each in its column; or an error.
    public static let csv = FuzzProperty("csv") { input throws(Violation) in
        let read = try reading(input, isSame: areSame) { data throws(FormatError) in try CSVFile(data, file: "a.csv") }
        guard let table = read.value else { return }
        try table.values.requireConsistent()
        guard table.values.shape.count == 2, let numbers = try? table.values.floats() else {
            throw Violation("the values have the shape \(table.values.shape), or are not all finite")
        }
        let columnCount = table.values.shape[1]
        try require(columnCount > 0 && !numbers.isEmpty, "there are no values")
        if let header = table.header {
            try require(header.count == columnCount, "\(header.count) names for \(columnCount) columns")
            for (index, name) in header.enumerated() where header.count(where: { $0 == name }) == 1 {
                let column = try? table.column(named: name).floats()
                let expected = stride(from: index, to: numbers.count, by: columnCount).map { numbers[$0] }
                try require(column == expected, "column \(name) is not what stands below the name")
            }
        }
        try requireFields(input, numbers, hasHeader: table.header != nil)
    }

    /// The numbers are those of the fields, where no quote makes them hard to find.
    private static func requireFields(_ input: [UInt8], _ numbers: [Float], hasHeader: Bool) throws(Violation) {
        guard !input.contains(UInt8(ascii: "\"")) else { return }
        let text = input.starts(with: [0xEF, 0xBB, 0xBF]) ? input.dropFirst(3) : input[...]
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let rows = lines.dropFirst(hasHeader ? 1 : 0).filter { !$0.isEmpty }
        let fields = rows.flatMap { $0.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) }
        let expected = fields.map { field in
            Float(String(decoding: field.filter { !" \t\r".utf8.contains($0) }, as: UTF8.self))
        }
        let isSame = expected.count == numbers.count && zip(expected, numbers).allSatisfy { $0?.bitPattern == $1.bitPattern }
        try require(isSame, "the fields \(expected) became \(numbers)")
    }

    private static func areSame(_ one: CSVFile, _ other: CSVFile) -> Bool {
        one.header == other.header && Tensor.areSame(one.values, other.values)
    }
}
