extension JSON {
    /// Reads one JSON text, strictly after RFC 8259, with the further demands of I-JSON (RFC 7493 §2.1 and §2.3): unique keys
    /// and no lone surrogates.
    ///
    /// Refused besides what the grammar refuses: a byte order mark, invalid UTF-8, numbers beyond `Double` or longer than 1024
    /// characters. Numbers round to the nearest `Double`, ties to even; integers that fit `Int` stay exact. O(n), no matter what
    /// the bytes are.
    /// - Parameters:
    ///   - bytes: the text, in UTF-8.
    ///   - maximumDepth: how many arrays and objects may stand inside each other; taken as 512 where it is more, for the stack's
    ///     sake.
    ///   - maximumValues: how many values there may be, counting those inside others. One value takes up to about 100 bytes of
    ///     memory.
    public init(
        parsing bytes: UnsafeRawBufferPointer, maximumDepth: Int = 64, maximumValues: Int = 10_000_000
    ) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes: bytes, maximumDepth: min(maximumDepth, 512), maximumValues: maximumValues)
        self = try parser.document()
    }

    /// Reads one JSON text from an array; see ``init(parsing:maximumDepth:maximumValues:)-(UnsafeRawBufferPointer,_,_)``.
    public init(parsing bytes: [UInt8], maximumDepth: Int = 64, maximumValues: Int = 10_000_000) throws(JSONSyntaxError) {
        // `withUnsafeBytes` passes no typed errors on; a Result does.
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONSyntaxError) in
                try JSON(parsing: buffer, maximumDepth: maximumDepth, maximumValues: maximumValues)
            }
        }
        self = try result.get()
    }

    /// Reads one JSON text from a string; see ``init(parsing:maximumDepth:maximumValues:)-(UnsafeRawBufferPointer,_,_)``.
    public init(parsing text: String, maximumDepth: Int = 64, maximumValues: Int = 10_000_000) throws(JSONSyntaxError) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth, maximumValues: maximumValues)
    }
}
