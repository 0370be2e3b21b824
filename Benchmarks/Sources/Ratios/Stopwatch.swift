import Dispatch
import Foundation

/// Times that stand beside each other: every case once a round, so that whatever else the machine does falls on all alike.
struct Interleaved {
    private var cases: [(name: String, run: () throws -> Double)] = []
    private var times: [[Double]] = []

    /// Adds a case that is timed from outside.
    mutating func add(_ name: String, _ body: @escaping () throws -> Void) {
        addMeasured(name) {
            let start = DispatchTime.now().uptimeNanoseconds
            try body()
            return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
        }
    }

    /// Adds a case that tells its own milliseconds.
    mutating func addMeasured(_ name: String, _ body: @escaping () throws -> Double) {
        cases.append((name, body))
        times.append([])
    }

    /// Runs all cases `rounds` times, after one round that is not counted.
    mutating func run(rounds: Int) throws {
        for round in 0...rounds {
            for index in cases.indices {
                let milliseconds = try cases[index].run()
                if round > 0 { times[index].append(milliseconds) }
            }
        }
    }

    /// The median of a case, in milliseconds.
    subscript(name: String) -> Double? {
        guard let index = cases.firstIndex(where: { $0.name == name }) else { return nil }
        let sorted = times[index].sorted()
        return sorted.isEmpty ? nil : sorted[sorted.count / 2]
    }

    /// A line for each case: its median and its extremes.
    func report() {
        for (index, item) in cases.enumerated() {
            let sorted = times[index].sorted()
            print(
                String(
                    format: "  %10.3f ms  (%.3f … %.3f)  ", sorted[sorted.count / 2], sorted[0], sorted[sorted.count - 1])
                    + item.name)
        }
    }
}
