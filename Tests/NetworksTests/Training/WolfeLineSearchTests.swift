import Foundation
import Testing

@testable import Networks

@Suite("the strong Wolfe line search")
struct WolfeLineSearchTests {
    /// A function of the step length, and its slope.
    struct Curve: Sendable, CustomStringConvertible {
        let description: String
        let value: @Sendable (Double) -> Double
        let slope: @Sendable (Double) -> Double
    }

    static let curves = [
        Curve(description: "a parabola far away", value: { ($0 - 1000) * ($0 - 1000) }, slope: { 2 * ($0 - 1000) }),
        Curve(description: "a narrow parabola", value: { 1e8 * $0 * $0 - $0 }, slope: { 2e8 * $0 - 1 }),
        Curve(
            description: "Moré and Thuente's first function (1994, equation 5.1)", value: { -$0 / ($0 * $0 + 2) },
            slope: { ($0 * $0 - 2) / (($0 * $0 + 2) * ($0 * $0 + 2)) }),
        Curve(
            description: "Moré and Thuente's second function (equation 5.2)",
            value: { pow($0 + 0.004, 5) - 2 * pow($0 + 0.004, 4) },
            slope: { 5 * pow($0 + 0.004, 4) - 8 * pow($0 + 0.004, 3) }),
        Curve(description: "a wave on a slope", value: { cos(3 * $0) - $0 }, slope: { -3 * sin(3 * $0) - 1 }),
        Curve(description: "a wall", value: { $0 < 0.5 ? -$0 : .infinity }, slope: { $0 < 0.5 ? -1 + $0 * 0 : .nan }),
    ]

    @Test(
        "both conditions hold where it ends, from first guesses of any size", arguments: curves.dropLast(),
        [1e-3, 0.1, 1, 10, 1000])
    func conditions(curve: Curve, first: Double) throws {
        var search = WolfeLineSearch(value: curve.value(0), slope: curve.slope(0))
        var evaluations = 0
        let found = try #require(
            search.search(from: first) {
                evaluations += 1
                return (curve.value($0), curve.slope($0))
            })
        // The decrease holds but for what single precision can't tell.
        let noise = SinglePrecision.noise(of: curve.value(0))
        #expect(found.value <= curve.value(0) + 1e-4 * found.step * curve.slope(0) + noise)
        #expect(abs(found.slope) <= 0.9 * abs(curve.slope(0)))
        #expect(found.value == curve.value(found.step))
        #expect(evaluations <= WolfeLineSearch.budget)
    }

    @Test("what is not finite is too far, and the best point before it is taken", arguments: [0.1, 1, 1e10])
    func wall(first: Double) throws {
        let wall = try #require(Self.curves.last)
        var search = WolfeLineSearch(value: 0, slope: -1)
        let found = try #require(search.search(from: first) { (wall.value($0), wall.slope($0)) })
        #expect(found.step > 0.4 && found.step < 0.5)
    }

    @Test("where values no longer change, slopes lead to the minimum")
    func slopesAlone() throws {
        var search = WolfeLineSearch(value: 1, slope: -1e-6)
        let found = try #require(search.search(from: 100) { (1, 1e-6 * ($0 - 1)) })
        #expect(abs(found.slope) <= 0.9e-6)
    }

    @Test("there is no step where every one goes up, or none is finite")
    func none() {
        var up = WolfeLineSearch(value: 1, slope: -1e-3)
        #expect(up.search(from: 1) { (1 + $0, 1) } == nil)
        var wild = WolfeLineSearch(value: 1, slope: -1)
        var evaluations = 0
        let found = wild.search(from: 1) { _ in
            evaluations += 1
            return (.nan, .nan)
        }
        #expect(found == nil)
        #expect(evaluations <= WolfeLineSearch.budget)
    }

    @Test("a fall without end is followed no further than the budget, and its lowest point taken")
    func unbounded() throws {
        var search = WolfeLineSearch(value: 0, slope: -1)
        let found = try #require(search.search(from: 1) { (-$0, -1) })
        #expect(found.step > 1e9)
    }
}
