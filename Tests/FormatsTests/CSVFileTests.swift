import Formats
import Foundation
import Testing

@Suite("CSV")
struct CSVFileTests {
    private func read(_ text: String) throws -> CSVFile { try CSVFile(Data(text.utf8), file: "f.csv") }

    @Test(
        "numbers are read with all line ends, quotes and spellings",
        arguments: [
            ("1,2\n3,4\n", [2, 2], [1, 2, 3, 4]), ("1,2\r\n3,4", [2, 2], [1, 2, 3, 4]), ("5", [1, 1], [5]),
            ("1\n2\n3\n", [3, 1], [1, 2, 3]),
            ("\"1\",\"2\"\n\"3\",4\n", [2, 2], [1, 2, 3, 4]), ("\u{FEFF}1,2\n", [1, 2], [1, 2]), (" 1 ,\t2\n", [1, 2], [1, 2]),
            ("-1,+2,.5,5.,1e3,-2.5E-2,0007,-0\n", [1, 8], [-1, 2, 0.5, 5, 1000, -0.025, 7, 0]),
            (
                "16777216,16777217,0.00000001,123456789,99999999\n", [1, 5],
                [16_777_216, 16_777_216, 1e-8, 123_456_792, 100_000_000]
            ),
            ("1e-60,3.4028235e38,0.1234567890123456789\n", [1, 3], [0, 3.4028235e38, 0.12345679]),
            ("255,0\n", [1, 2], [255, 0]),
        ] as [(String, [Int], [Float])])
    func numbers(text: String, shape: [Int], values: [Float]) throws {
        let file = try read(text)
        #expect(file.header == nil)
        #expect(file.values.elementType == .float32)
        #expect(file.values.shape == shape)
        #expect(try file.values.floats() == values)
    }

    @Test("a first row with a word in it is the column names, and columns are found by them")
    func names() throws {
        let plain = try read("x1,\"a, \"\"b\"\"\",label,label\n1,2,3,0\n4,5,6,0\n")
        #expect(plain.header == ["x1", "a, \"b\"", "label", "label"])
        #expect(try plain.column(named: "a, \"b\"").floats() == [2, 5])
        #expect(try plain.column(named: "x1").shape == [2])
        #expect(throws: FormatError.self) { try plain.column(named: "label") }
        let missing = #expect(throws: FormatError.self) { try plain.column(named: "y") }
        #expect(missing?.reason.hasSuffix("there are: x1, a, \"b\", label, label") == true)
        #expect(throws: FormatError.self) { try read("1,2\n").column(named: "1") }
        #expect(try read("1,b\n2,3\n").header == ["1", "b"])
    }

    @Test(
        "what is no number, or a row of another length, is refused with its line and column",
        arguments: [
            ("1,2\n3,x\n", "line 2, column 2: \"x\" is not a number"),
            ("a,b\n3,x\n", "line 2, column 2 (b): \"x\" is not a number"),
            ("1,2\n3\n", "line 2: the row has 1 fields, but the first row has 2"),
            ("1,2\n3,4,5\n", "line 2: the row has 3 fields, but the first row has 2"),
            ("1,2\n\n", "line 2, column 1: the field is empty; a number is needed"),
            ("1,\n", "line 1, column 2: the field is empty; a number is needed"),
            ("1,nan\n", "line 1, column 2: \"nan\" is not a finite number"),
            ("1\n-Inf\n", "line 2, column 1: \"-Inf\" is not a finite number"),
            ("1,NA\n", "line 1, column 2: \"NA\" is not a finite number"),
            ("1\n1e39\n", "line 2, column 1: 1e39 is beyond single precision"),
            ("1\n0x1p3\n", "line 2, column 1: \"0x1p3\" is not a number"),
            ("1\n1e\n", "line 2, column 1: \"1e\" is not a number"),
            ("1\n1.2.3\n", "line 2, column 1: \"1.2.3\" is not a number"),
            ("1\n1 2\n", "line 2, column 1: \"1 2\" is not a number"),
            ("1\n.\n", "line 2, column 1: \".\" is not a number"), ("1\n-\n", "line 2, column 1: \"-\" is not a number"),
            ("1\n--1\n", "line 2, column 1: \"--1\" is not a number"),
            ("1\n1_000\n", "line 2, column 1: \"1_000\" is not a number"),
            ("1\n１\n", "line 2, column 1: \"１\" is not a number"),
            ("\"a\nb\",c\n1,x\n", "line 3, column 2 (c): \"x\" is not a number"),
            ("1\n\"2\n", "line 2, column 1: the quote is never closed"),
            ("1\n2\"\n", "line 2, column 1: a quote inside a field that does not begin with one"),
            ("a, \"b\"\n1,2\n", "line 1, column 2: a quote inside a field that does not begin with one"),
            ("1\n\"2\"3\n", "line 2, column 1: a comma or the end of the line must follow the closing quote"),
            ("1\r2\n", "line 1, column 1: a carriage return without the line feed that ends a line"),
        ])
    func refusals(text: String, description: String) {
        let error = #expect(throws: FormatError.self) { try read(text) }
        #expect(error?.description == "f.csv: \(description)")
    }

    @Test("a file without rows is refused", arguments: ["", "\u{FEFF}", "a,b", "a,b\n"])
    func empty(text: String) {
        #expect(throws: FormatError.self) { try read(text) }
    }

    @Test("numbers are rounded to the nearest Float, as Swift does it")
    func rounding() throws {
        var generator = Generator(state: 7)
        let texts = (0..<5_000).map { _ in
            let digits = (0..<Int.random(in: 1...10, using: &generator)).map { _ in
                String(Int.random(in: 0...9, using: &generator))
            }.joined()
            return "\(Bool.random(using: &generator) ? "-" : "")\(Int.random(in: 0...99, using: &generator)).\(digits)"
        }
        let values = try read(texts.joined(separator: "\n")).values.floats()
        #expect(values.map(\.bitPattern) == texts.map { Float($0)?.bitPattern })
    }

    @Test("no prefix and no flipped bit crashes the reader")
    func damage() throws {
        let good = Data("a,\"b \"\"c\"\"\"\r\n1.5,-2e3\r\n\"3\",4\n".utf8)
        #expect(try CSVFile(good, file: "f").values.floats() == [1.5, -2000, 3, 4])
        for count in 0..<good.count { _ = try? CSVFile(good.prefix(count), file: "f").values.floats() }
        for bit in 0..<(good.count * 8) {
            var damaged = good
            damaged[bit / 8] ^= 1 << (bit % 8)
            if let file = try? CSVFile(damaged, file: "f") { _ = try file.values.floats() }
        }
        #expect(throws: FormatError.self) { try CSVFile(Data([0x61, 0xFF, 0x0A, 0x31, 0x0A]), file: "f") }
    }
}
