/// Writes metrics in the text format of Prometheus, version 0.0.4 ("Exposition formats" in its documentation).
struct ExpositionWriter {
    /// The media type of the text.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A name and a value that tell the samples of a family apart.
    typealias Label = (name: String, value: String)

    /// The text so far, in UTF-8.
    private(set) var bytes: [UInt8] = []

    /// Begins a family: the lines up to the next family are its samples.
    mutating func begin(_ family: MetricFamily) {
        append("# HELP \(family.name) ")
        appendEscaped(family.help, quotes: false)
        append("\n# TYPE \(family.name) \(family.kind.rawValue)\n")
    }

    /// Writes one sample.
    mutating func sample(_ name: String, _ labels: [Label], _ value: Int) { line(name, labels, String(value)) }

    /// Writes one sample.
    mutating func sample(_ name: String, _ labels: [Label], _ value: Double) { line(name, labels, Self.text(value)) }

    /// Writes a family of one sample without labels.
    mutating func write(_ family: MetricFamily, _ value: Int) {
        begin(family)
        sample(family.name, [], value)
    }

    /// Writes a family of one sample without labels.
    mutating func write(_ family: MetricFamily, _ value: Double) {
        begin(family)
        sample(family.name, [], value)
    }

    /// Writes the samples of one histogram of a family: its buckets, each with all that are below, their sum and their number.
    mutating func histogram(_ name: String, _ labels: [Label], _ histogram: Histogram) {
        var count = 0
        for (bound, inBucket) in zip(Histogram.bounds + [.infinity], histogram.counts) {
            count += inBucket
            sample(name + "_bucket", labels + [("le", Self.text(bound))], count)
        }
        sample(name + "_sum", labels, histogram.sum)
        sample(name + "_count", labels, count)
    }

    /// A number as Prometheus reads it, which is as Go's ParseFloat does: the shortest decimal that gives `value` back.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.description
    }

    private mutating func line(_ name: String, _ labels: [Label], _ value: String) {
        append(name)
        for (index, label) in labels.enumerated() {
            append(index == 0 ? "{" : ",")
            append("\(label.name)=\"")
            appendEscaped(label.value, quotes: true)
            append("\"")
        }
        append(labels.isEmpty ? " " : "} ")
        append(value)
        append("\n")
    }

    /// A backslash and a line feed are escaped everywhere, quotation marks only where they would end the value.
    private mutating func appendEscaped(_ text: String, quotes: Bool) {
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\"") where quotes: append("\\\"")
            default: bytes.append(octet)
            }
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
