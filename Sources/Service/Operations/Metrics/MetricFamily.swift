/// A name under which samples are given, and what they are.
struct MetricFamily: Equatable, Sendable {
    /// How the samples of a family are to be read.
    enum Kind: String, Sendable {
        /// Only ever grows, until the process starts again.
        case counter
        /// Goes up and down.
        case gauge
        /// Observations, counted by their size.
        case histogram
    }

    /// The name, in base units; ends in `_total` where it is a counter's.
    let name: String
    /// How to read it.
    let kind: Kind
    /// What it counts or measures, for people.
    let help: String

    static func counter(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily(name: name, kind: .counter, help: help)
    }
    static func gauge(_ name: String, _ help: String) -> MetricFamily { MetricFamily(name: name, kind: .gauge, help: help) }
    static func histogram(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily(name: name, kind: .histogram, help: help)
    }
}
