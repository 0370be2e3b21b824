internal import Foundation
internal import LinearAlgebra

/// A curve of counts as a picture: eigenvalues along a linear axis, how many there are along a logarithmic one, as Ghorbani, Krishnan &
/// Xiao (2019) show spectra. Self-contained SVG 1.1 that needs no script, style sheet or font of its own.
struct SpectrumPlot {
    let curve: SpectrumCurve
    /// What it shows, in a few words and in a sentence.
    let title: String, description: String

    private static let width = 640.0, height = 320.0
    private static let left = 64.0, right = 616.0, top = 40.0, bottom = 272.0
    /// The exponent of ten at the lower end: an eigenvalue by itself rises above a tenth.
    private static let lowest = -2

    /// The picture.
    var svg: String {
        let highest = max(Self.lowest + 1, Int(log10(max(curve.counts.max() ?? 1, 1e-300)).rounded(.up)))
        let (first, last) = (curve.positions.first ?? 0, curve.positions.last ?? 1)
        func x(_ value: Double) -> Double { Self.left + (value - first) / (last - first) * (Self.right - Self.left) }
        func y(_ exponent: Double) -> Double {
            let share = (exponent - Double(Self.lowest)) / Double(highest - Self.lowest)
            return Self.bottom - min(max(share, 0), 1) * (Self.bottom - Self.top)
        }
        let points = zip(curve.positions, curve.counts).map { position, count in
            Self.number(x(position)) + "," + Self.number(y(log10(max(count, 1e-300))))
        }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<svg xmlns="http://www.w3.org/2000/svg" width="640" height="320" viewBox="0 0 640 320" role="img" "#
                + #"aria-labelledby="title description" font-family="sans-serif" font-size="12">"#,
            "<title id=\"title\">\(Self.escaped(title))</title>", "<desc id=\"description\">\(Self.escaped(description))</desc>",
            ##"<rect width="640" height="320" fill="#ffffff"/>"##,
            Self.label(Self.width / 2, 22, "middle", title),
        ]
        // No more than eight lines, whatever the range.
        let stride = max(1, (highest - Self.lowest + 7) / 8)
        for exponent in Swift.stride(from: Self.lowest, through: highest, by: stride) {
            lines.append(Self.line(Self.left, y(Double(exponent)), Self.right, y(Double(exponent)), "#dddddd"))
            lines.append(Self.label(Self.left - 6, y(Double(exponent)) + 4, "end", Self.power(exponent)))
        }
        for tick in Self.ticks(from: first, to: last) {
            lines.append(Self.line(x(tick), Self.bottom, x(tick), Self.bottom + 5, "#333333"))
            lines.append(Self.label(x(tick), Self.bottom + 20, "middle", String(format: "%.4g", tick)))
        }
        lines.append(Self.line(Self.left, Self.bottom, Self.right, Self.bottom, "#333333"))
        lines.append(Self.label((Self.left + Self.right) / 2, Self.height - 8, "middle", "eigenvalue"))
        lines.append(
            ##"<text transform="translate(16,156) rotate(-90)" text-anchor="middle" fill="#333333">eigenvalues per point</text>"##
        )
        lines.append(
            "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.5\"/>")
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    /// Three to eight round numbers within a range.
    static func ticks(from first: Double, to last: Double) -> [Double] {
        let extent = last - first
        guard extent > 0, extent.isFinite else { return [] }
        let unit = pow(10, floor(log10(extent)))
        let step = [0.1, 0.2, 0.5, 1, 2].map { $0 * unit }.first { extent / $0 <= 7 } ?? unit * 2
        let start = (first / step).rounded(.up)
        return (0...8).map { (start + Double($0)) * step }.filter { $0 <= last }
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func power(_ exponent: Int) -> String {
        (0...4).contains(exponent) ? String(format: "%.0f", pow(10, Double(exponent))) : "1e\(exponent)"
    }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(color)\"/>"
    }

    private static func label(_ x: Double, _ y: Double, _ anchor: String, _ text: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" fill=\"#333333\">\(escaped(text))</text>"
    }

    /// Names have none of these characters; a text that once has them still makes a picture.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
    }
}

extension SpectrumAnswer {
    /// The density as a picture.
    public var svg: String {
        let ends = spectrum.values.ends
        func text(_ value: Double) -> String { String(format: "%.4g", value) }
        return SpectrumPlot(
            curve: SpectrumCurve(spectrum.density, weightDecay: weightDecay),
            title: "Spectrum of the \(curvature.rawValue) of \(model) at \(checkpoint)",
            description:
                "How many of the \(dimension) eigenvalues lie where: the smallest is \(text(ends.smallest.value + weightDecay)), "
                + "the largest \(text(ends.largest.value + weightDecay)), and their sum "
                + "\(text(spectrum.trace + weightDecay * Double(dimension))). Counts are on a logarithmic axis."
        ).svg
    }
}
