/// What came back on a connection, taken apart.
struct Transcript {
    struct Answer: Equatable {
        var status: Int
        /// By lower-case name.
        var fields: [String: String]
        var body: String
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The number of interim answers; all are 100.
    private(set) var interims = 0
    /// The final answers without Date, but for the last request's, which only shows that the connection went on.
    private(set) var answers: [Answer] = []
    /// The values of Date in the final answers.
    private(set) var dates: [String?] = []
    /// Whether the request that came after the input was answered.
    private(set) var wentOn = false

    /// Takes `octets` apart.
    ///
    /// - Parameter lacksContent: Says of each final answer, by its place, whether it is one to HEAD.
    init(_ octets: [UInt8], lacksContent: (Int) -> Bool) throws {
        var rest = octets[...]
        while !rest.isEmpty {
            let answer = try Self.head(&rest)
            if answer.status == 100 {
                guard answer.fields.isEmpty else { throw Failure(description: "A 100 with fields: \(answer.fields)") }
                interims += 1
                continue
            }
            var (final, date) = (answer, answer.fields["date"])
            final.fields["date"] = nil
            if !lacksContent(answers.count), let length = final.fields["content-length"] {
                guard let count = Int(length), count <= rest.count else {
                    throw Failure(description: "The content is cut short.")
                }
                final.body = String(decoding: rest.prefix(count), as: UTF8.self)
                rest = rest.dropFirst(count)
            }
            if wentOn { throw Failure(description: "There is an answer too many: \(final)") }
            wentOn = final.body == WitnessServer.after
            if !wentOn {
                answers.append(final)
                dates.append(date)
            }
        }
    }

    private static func head(_ rest: inout ArraySlice<UInt8>) throws -> Answer {
        let end = Array("\r\n\r\n".utf8)
        guard let position = rest.indices.first(where: { rest[$0] == 13 && rest[$0...].starts(with: end) }) else {
            throw Failure(description: "No header section ends in \(String(decoding: rest, as: UTF8.self))")
        }
        let lines = String(decoding: rest[..<position], as: UTF8.self).split(separator: "\r\n")
        rest = rest[(position + end.count)...]
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)) else {
            throw Failure(description: "This is no answer: \(lines)")
        }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Failure(description: "This is no field: \(line)") }
            let old = fields.updateValue(String(line[colon...].dropFirst(2)), forKey: line[..<colon].lowercased())
            guard old == nil else { throw Failure(description: "This field comes twice: \(line)") }
        }
        return Answer(status: status, fields: fields, body: "")
    }
}
