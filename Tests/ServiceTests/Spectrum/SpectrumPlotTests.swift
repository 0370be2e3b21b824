import Foundation
import InverseCurvature
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

/// The picture of a density.
@Suite("Plots of spectra")
struct SpectrumPlotTests {
    /// The elements of a text, in the order they begin; nil where it is not well-formed.
    private func parse(_ text: String) -> [(name: String, attributes: [String: String], text: String)]? {
        guard text.hasPrefix(#"<?xml version="1.0" encoding="UTF-8"?>"#) else { return nil }
        var open: [Int] = []
        var found: [(name: String, attributes: [String: String], text: String)] = []
        var rest = text.dropFirst(38)[...]
        while let start = rest.firstIndex(of: "<") {
            let words = rest[..<start]
            guard !words.contains(">") else { return nil }
            if let last = open.last { found[last].text += words }
            guard let end = rest[start...].firstIndex(of: ">") else { return nil }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                guard let last = open.popLast(), found[last].name == tag.dropFirst() else { return nil }
                continue
            }
            guard let match = tag.wholeMatch(of: /([a-z]+)((?: [a-zA-Z0-9-]+="[^"<&]*")*)(\/?)/) else { return nil }
            let pairs = match.output.2.matches(of: /([a-zA-Z0-9-]+)="([^"]*)"/).map { (String($0.output.1), String($0.output.2)) }
            guard Set(pairs.map(\.0)).count == pairs.count else { return nil }
            found.append((String(match.output.1), Dictionary(uniqueKeysWithValues: pairs), ""))
            if match.output.3.isEmpty { open.append(found.count - 1) }
        }
        let isWhole = open.isEmpty && rest.allSatisfy(\.isWhitespace)
        let entities = text.matches(of: /&[a-z]*;?/).allSatisfy { ["&amp;", "&lt;", "&gt;"].contains(String($0.output)) }
        return isWhole && entities ? found : nil
    }

    @Test(
        "it is well-formed, names and describes itself, and stands by itself",
        arguments: ["hessian", "gauss_newton", "empirical_fisher"])
    func wellFormed(curvature: String) throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide)
        let answer = try bench.engine().spectrum(SpectrumBench.request(("curvature", curvature)), interruption: .never)
        let elements = try #require(parse(answer.svg))
        #expect(elements.first?.name == "svg" && elements.first?.attributes["xmlns"] == "http://www.w3.org/2000/svg")
        #expect(
            elements.first?.attributes["role"] == "img" && elements.first?.attributes["aria-labelledby"] == "title description")
        let title = try #require(elements.first { $0.name == "title" }),
            description = try #require(elements.first { $0.name == "desc" })
        #expect(title.attributes["id"] == "title" && description.attributes["id"] == "description")
        #expect(title.text.contains(curvature) && title.text.contains("net") && description.text.contains("323 eigenvalues"))
        let names: Set = ["svg", "title", "desc", "rect", "text", "line", "polyline"]
        #expect(Set(elements.map { $0.name }).isSubset(of: names))
        #expect(elements.allSatisfy { $0.attributes["href"] == nil && $0.attributes["style"] == nil })
    }

    @Test("the curve stays within the frame, from left to right")
    func frame() throws {
        let answer = try SpectrumBench.network(SpectrumBench.wide).engine().spectrum(
            SpectrumBench.request(), interruption: .never)
        let line = try #require(parse(answer.svg)?.first { $0.name == "polyline" }?.attributes["points"])
        let points = line.split(separator: " ").map { $0.split(separator: ",").compactMap { Double($0) } }
        #expect(
            points.count == 256 && points.allSatisfy { $0.count == 2 && (64...616).contains($0[0]) && (40...272).contains($0[1]) }
        )
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.0[0] < $0.1[0] })
        #expect(points.contains { $0[1] < 200 })
    }

    @Test(
        "spectra of one point, of nothing but zeros, and of huge and tiny ranges make pictures too",
        arguments: [
            [0.0], [3], [-1, 0], [1e-30, 2e-30], [-1e30, 1e30], [1, 1, 1, 1, 1000],
        ])
    func extremes(nodes: [Double]) throws {
        let density = SpectrumDensity(
            dimension: nodes.count, probes: [.init(nodes: nodes, weights: nodes.map { _ in 1 / Double(nodes.count) })])
        let curve = SpectrumCurve(density, weightDecay: 0.5)
        let svg = SpectrumPlot(curve: curve, title: "a < b & c > d", description: "<&>").svg
        let elements = try #require(parse(svg))
        #expect(elements.first { $0.name == "title" }?.text == "a &lt; b &amp; c &gt; d")
        #expect(!svg.contains("nan") && !svg.contains("inf"))
        let bins = SpectrumBins(density, weightDecay: 0)
        let total = (bins.positive + bins.negative).reduce(bins.nearZero, +)
        #expect(abs(total - Double(nodes.count)) < 1e-9)
    }

    @Test("each eigenvalue is in the bin of its magnitude and sign")
    func bins() {
        let nodes = [-100, -99, -0.5, -1e-9, 0, 1e-7, 1e-3, 0.5, 100]
        let density = SpectrumDensity(dimension: 9, probes: [.init(nodes: nodes, weights: nodes.map { _ in 1.0 / 9 })])
        let bins = SpectrumBins(density, weightDecay: 0)
        #expect(bins.edges.count == 25 && abs(bins.edges[0] - 1e-4) < 1e-12 && bins.edges[24] == 100)
        #expect(abs(bins.nearZero - 3) < 1e-12)
        func count(_ bins: [Double]) -> Int { bins.count { $0 > 0.5 } }
        #expect(abs(bins.negative[23] - 2) < 1e-12 && abs(bins.positive[23] - 1) < 1e-12)
        #expect(count(bins.negative) == 2 && count(bins.positive) == 3)
    }

    @Test(
        "ticks are round, few, and within the range",
        arguments: [
            (0.0, 1.0), (-0.03, 2.4), (-5, 5), (1e-9, 3e-9), (0, 9.9e12), (100, 101),
        ])
    func ticks(first: Double, last: Double) {
        let ticks = SpectrumPlot.ticks(from: first, to: last)
        #expect((3...8).contains(ticks.count), "\(ticks)")
        #expect(ticks.allSatisfy { $0 >= first - 1e-9 * (last - first) && $0 <= last })
        #expect(SpectrumPlot.ticks(from: 1, to: 1).isEmpty)
    }
}
