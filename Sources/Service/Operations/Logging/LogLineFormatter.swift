internal import Logging

/// Makes lines of records: time (RFC 3339, UTC), level, label and message, then the metadata by its keys.
///
/// A line has no more than about 36 KiB: values are cut at 4 KiB, and once a line has 32 KiB the keys left are only counted.
struct LogLineFormatter {
    /// Octets from which a line takes no more keys.
    static let lineLimit = 32 << 10
    private static let keyLimit = 128
    /// Keys that every line has; metadata of that name gets an underscore behind it.
    private static let ownKeys: Set<String> = ["time", "level", "label", "message", "omitted_keys"]

    private let format: LogFormat
    /// The text of the last second: most records share theirs with the one before.
    private var second: (number: Int, text: String)?

    /// A formatter of lines.
    init(_ format: LogFormat) { self.format = format }

    /// Appends the line of a record, and a line feed.
    mutating func append(_ record: LogRecord, to lines: inout [UInt8]) {
        let start = lines.count
        if format == .json { lines.append(UInt8(ascii: "{")) }
        appendPair("time", .text(timeText(record.time)), isFirst: true, to: &lines)
        appendPair("level", .text(record.level.rawValue), to: &lines)
        appendPair("label", .text(record.label), to: &lines)
        appendPair("message", .text(record.message), to: &lines)
        var omitted = 0
        let metadata = record.metadata()
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            guard lines.count - start < Self.lineLimit else {
                omitted += 1
                continue
            }
            appendPair(Self.free(key, in: metadata), LogValue(value), to: &lines)
        }
        if omitted > 0 { appendPair("omitted_keys", .literal(String(omitted)), to: &lines) }
        if format == .json { lines.append(UInt8(ascii: "}")) }
        lines.append(UInt8(ascii: "\n"))
    }

    private func appendPair(_ key: String, _ value: LogValue, isFirst: Bool = false, to line: inout [UInt8]) {
        switch format {
        case .text:
            if !isFirst { line.append(UInt8(ascii: " ")) }
            LogText.appendKey(key, limit: Self.keyLimit, to: &line)
            line.append(UInt8(ascii: "="))
            switch value {
            case .literal(let text): line.append(contentsOf: text.utf8)
            case .text(let text): Self.appendText(text, to: &line)
            case .structure(let json): Self.appendText(String(decoding: json, as: UTF8.self), to: &line)
            }
        case .json:
            if !isFirst { line.append(UInt8(ascii: ",")) }
            LogText.appendQuoted(key, limit: Self.keyLimit, to: &line)
            line.append(UInt8(ascii: ":"))
            switch value {
            case .literal(let text): line.append(contentsOf: text.utf8)
            case .text(let text): LogText.appendQuoted(text, limit: LogValue.limit, to: &line)
            case .structure(let json): line.append(contentsOf: json)
            }
        }
    }

    private static func appendText(_ text: String, to line: inout [UInt8]) {
        if text.utf8.count <= LogValue.limit, LogText.isPlain(text) {
            line.append(contentsOf: text.utf8)
        } else {
            LogText.appendQuoted(text, limit: LogValue.limit, to: &line)
        }
    }

    /// A key that no other of the line has: an object with a name twice means different things to different readers.
    private static func free(_ key: String, in metadata: Logger.Metadata) -> String {
        guard ownKeys.contains(key) else { return key }
        var other = key + "_"
        while metadata[other] != nil { other += "_" }
        return other
    }

    private mutating func timeText(_ time: LogTime) -> String {
        if second?.number != time.seconds { second = (time.seconds, time.secondText) }
        return (second?.text ?? "") + time.fractionText
    }
}
