/// A strict reader of the text format of Prometheus, version 0.0.4, for tests: it takes less than Prometheus does, and checks what a
/// reader would trip over later, such as samples given twice or histograms whose buckets do not add up.
struct Exposition {
    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Family {
        let help: String
        let kind: String
        var samples: [Sample] = []
    }

    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var families: [String: Family] = [:]

    init(_ bytes: [UInt8]) throws {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault(description: "not UTF-8") }
        guard text.utf8.last == 0x0A else { throw Fault(description: "the last line does not end") }
        var current = ""
        var help: (name: String, text: String)?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# HELP ") {
                let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1).map(String.init)
                try Self.require(parts.count == 2 && families[parts[0]] == nil && help == nil, "HELP out of place: \(line)")
                help = (parts[0], try Self.unescaped(parts[1][...], isLabel: false))
            } else if line.hasPrefix("# TYPE ") {
                let parts = line.dropFirst(7).split(separator: " ").map(String.init)
                try Self.require(parts.count == 2 && parts[0] == help?.name, "TYPE without its HELP: \(line)")
                try Self.require(["counter", "gauge", "histogram"].contains(parts[1]), "unknown type: \(line)")
                current = parts[0]
                families[current] = Family(help: help?.text ?? "", kind: parts[1])
                help = nil
            } else {
                let sample = try Self.sample(line)
                let suffixes = families[current]?.kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                try Self.require(suffixes.contains { current + $0 == sample.name }, "\(sample.name) is not of family \(current)")
                let isNew = families[current]?.samples.allSatisfy { $0.name != sample.name || $0.labels != sample.labels }
                try Self.require(isNew == true, "given twice: \(line)")
                families[current]?.samples.append(sample)
            }
        }
        for (name, family) in families { try Self.check(name, family) }
    }

    /// The value of the sample with this name and these labels.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.values.lazy.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    private static func require(_ condition: Bool, _ fault: String) throws {
        if !condition { throw Fault(description: fault) }
    }

    private static func sample(_ line: Substring) throws -> Sample {
        var rest = line
        let name = take(&rest) { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
        try require(isName(name), "bad name: \(line)")
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest.removeFirst()
                let label = take(&rest) { $0 != "=" }
                try require(isName(label) && !label.contains(":") && rest.hasPrefix("=\""), "bad label: \(line)")
                rest.removeFirst(2)
                var isEscaped = false
                let value = take(&rest) { character in
                    if isEscaped || character != "\"" {
                        isEscaped = !isEscaped && character == "\\"
                        return true
                    }
                    return false
                }
                try require(rest.first == "\"", "open label value: \(line)")
                rest.removeFirst()
                let isNew = labels.updateValue(try unescaped(value[...], isLabel: true), forKey: label) == nil
                try require(isNew, "label given twice: \(line)")
            } while rest.first == ","
            try require(rest.first == "}", "labels do not end: \(line)")
            rest.removeFirst()
        }
        try require(rest.first == " ", "no space before the value: \(line)")
        return Sample(name: name, labels: labels, value: try number(String(rest.dropFirst())))
    }

    private static func number(_ text: String) throws -> Double {
        switch text {
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        case "NaN": return .nan
        default:
            let isPlain = text.allSatisfy { "0123456789+-.e".contains($0) }
            guard isPlain, let value = Double(text) else { throw Fault(description: "bad number: \(text)") }
            return value
        }
    }

    private static func unescaped(_ text: Substring, isLabel: Bool) throws -> String {
        var result = ""
        var characters = text.makeIterator()
        while let character = characters.next() {
            guard character == "\\" else {
                try require(!isLabel || character != "\"", "bare quotation mark: \(text)")
                result.append(character)
                continue
            }
            switch characters.next() {
            case "\\": result.append("\\")
            case "n": result.append("\n")
            case "\"" where isLabel: result.append("\"")
            default: throw Fault(description: "bad escape: \(text)")
            }
        }
        return result
    }

    private static func take(_ rest: inout Substring, while isTaken: (Character) -> Bool) -> String {
        let taken = rest.prefix(while: isTaken)
        rest = rest[taken.endIndex...]
        return String(taken)
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.first else { return false }
        return name.allSatisfy { $0.isASCII } && !first.isNumber
    }

    private static func check(_ name: String, _ family: Family) throws {
        switch family.kind {
        case "counter":
            try require(name.hasSuffix("_total"), "\(name) does not end in _total")
            try require(family.samples.allSatisfy { $0.value >= 0 }, "\(name) is negative")
        case "histogram": try checkHistogram(name, family)
        default: try require(!name.hasSuffix("_total"), "\(name) ends in _total")
        }
    }

    private static func checkHistogram(_ name: String, _ family: Family) throws {
        let series = Dictionary(grouping: family.samples) { $0.labels.filter { $0.key != "le" } }
        for (labels, samples) in series {
            let buckets = samples.filter { $0.name == name + "_bucket" }
            let bounds = try buckets.map { try number($0.labels["le"] ?? "none") }
            try require(
                bounds.last == .infinity && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "\(name) \(labels): bounds")
            let counts = buckets.map(\.value)
            try require(zip(counts, counts.dropFirst()).allSatisfy { $0 <= $1 }, "\(name) \(labels): buckets are not cumulative")
            let total = samples.first { $0.name == name + "_count" }?.value
            try require(total == counts.last, "\(name) \(labels): +Inf is not the count")
            try require(samples.filter { $0.name == name + "_sum" }.count == 1, "\(name) \(labels): no sum")
        }
    }
}
