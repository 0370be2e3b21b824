/// How a line of the log is written.
public enum LogFormat: String, CaseIterable, Sendable {
    /// `key=value` pairs, with quotation marks where a value needs them: for people, and for what reads logfmt.
    case text
    /// One JSON object a line.
    case json
}
