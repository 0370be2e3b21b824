import LinearAlgebra

/// Rows encoded for a test, with memory of their own.
struct Encoded {
    let bytes: [UInt8]
    let count: Int
    let width: Int
    let encoding: RowEncoding

    init(_ rows: [Float], width: Int, _ encoding: RowEncoding) throws {
        count = rows.count / width
        self.width = width
        self.encoding = encoding
        let length = try encoding.byteCount(rows: count, width: width)
        var bytes = [UInt8](repeating: 0xaa, count: length + 1)
        let count = count
        try bytes.withUnsafeMutableBytes { memory in
            guard let start = memory.baseAddress else { return }
            try encoding.encode(rows: rows, count: count, width: width, into: start)
        }
        precondition(bytes.removeLast() == 0xaa, "wrote beyond the end")
        self.bytes = bytes
    }

    /// The decoded rows.
    func decoded() throws -> [Float] {
        var out = [Float](repeating: .nan, count: count * width + 1)
        try bytes.withUnsafeBytes { memory in
            guard let start = memory.baseAddress else { return }
            try encoding.decode(start, count: count, width: width, into: &out)
        }
        precondition(out.removeLast().isNaN, "wrote beyond the end")
        return out
    }

    /// Calls `body` with a view of the rows.
    func withRows<Result>(_ body: (EncodedRows) throws -> Result) throws -> Result {
        try bytes.withUnsafeBytes { try body(EncodedRows($0, count: count, width: width, encoding: encoding)) }
    }
}
