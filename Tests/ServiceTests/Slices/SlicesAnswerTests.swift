import JSON
import LinearAlgebra
import TestSupport
import Testing

@testable import Service

@Suite("Slices of training data × slices of tests")
struct SlicesAnswerTests {
    private let bench: SlicesBench

    init() throws { bench = try SlicesBench() }

    static let methods: [JSONObject] = [
        ["solver": SlicesBench.exact],
        ["solver": ["name": "lissa", "recursion_depth": 60, "num_repeat": 2, "batch_size": 16], "damping": 0.1],
        ["method": "tracin_cp"], ["method": "tracin_cp", "checkpoint": "early"], ["method": "gradient_cosine"],
        ["method": "nearest_neighbor"],
        ["method": "relatif", "solver": SlicesBench.exact], ["solver": SlicesBench.exact, "measurement": "logit"],
    ]

    @Test("cells are what the scores of single tests come to, by every method", arguments: methods.indices)
    func cells(position: Int) throws {
        let members = Self.methods[position]
        let answer = try bench.answer(members)
        let rows = try #require(answer["matrix"]?.arrayValue)
        #expect(rows.count == SlicesBench.training.count)
        let change = Self.change(members)
        for (column, tests) in SlicesBench.tests.enumerated() {
            let single = try tests.indices.map { try bench.single($0, members) }
            let scores = try single.map { try #require($0.results[0].allScores).map(Double.init) }
            for (row, slice) in SlicesBench.training.enumerated() {
                let cell = try #require(rows[row][column])
                let pairs = scores.flatMap { scores in slice.indices.map { scores[$0] } }
                func expect(_ key: String, _ value: Double) throws {
                    let got = try #require(cell[key]?.doubleValue)
                    #expect(abs(got - value) <= 1e-11 * pairs.reduce(0) { $0 + abs($1) }, "\(key) \(slice.name) \(tests.name)")
                }
                let (helpful, harmful) = (pairs.filter { $0 > 0 }, pairs.filter { $0 < 0 })
                try expect("sum", pairs.reduce(0, +))
                try expect("mean", pairs.reduce(0, +) / Double(pairs.count))
                try expect("mean_absolute", pairs.reduce(0) { $0 + abs($1) } / Double(pairs.count))
                if !helpful.isEmpty { try expect("mean_helpful", helpful.reduce(0, +) / Double(helpful.count)) }
                if !harmful.isEmpty { try expect("mean_harmful", -harmful.reduce(0, +) / Double(harmful.count)) }
                #expect(cell["helpful"]?.integerValue == helpful.count && cell["harmful"]?.integerValue == harmful.count)
                #expect(cell["zero"]?.integerValue == pairs.count - helpful.count - harmful.count)
                // Removing the slice moves each test by Σ score / n to first order.
                if let change {
                    let predicted = pairs.reduce(0, +) / Double(SlicesBench.count) / Double(tests.indices.count)
                    try expect(change.name, change.sign * predicted)
                } else {
                    #expect(!cell.text.contains("if_removed"))
                }
            }
            let shown = try #require(answer["test_slices"]?[column])
            let losses = single.compactMap { $0.results[0].tests[0].loss }
            let right = single.count { answer in
                let test = answer.results[0].tests[0]
                return test.prediction?.label.map(Double.init) == test.target
            }
            #expect(shown["name"]?.stringValue == tests.name && shown["size"]?.integerValue == tests.indices.count)
            #expect(shown["mean_loss"]?.doubleValue == losses.reduce(0, +) / Double(losses.count))
            #expect(shown["accuracy"]?.doubleValue == Double(right) / Double(single.count))
        }
    }

    /// What a method's prediction is called, and whether it is of what falls.
    private static func change(_ members: JSONObject) -> (name: String, sign: Double)? {
        guard members["method"] == nil else { return nil }
        return members["measurement"] == nil
            ? ("predicted_loss_change_if_removed", 1) : ("predicted_measurement_change_if_removed", -1)
    }

    @Test("slices of tests are as alike as the ranks of their mean scores", arguments: [0, 2])
    func correlations(position: Int) throws {
        let members = Self.methods[position]
        let means = try SlicesBench.tests.map { tests in
            try tests.indices.reduce(into: [Double](repeating: 0, count: SlicesBench.count)) { sums, test in
                let scores = try #require(try bench.single(test, members).results[0].allScores)
                for (example, score) in scores.enumerated() { sums[example] += Double(score) / Double(tests.indices.count) }
            }
        }
        let table = try #require(try bench.answer(members)["correlations"]?.arrayValue)
        for (a, x) in means.enumerated() {
            for (b, y) in means.enumerated() {
                let (spearman, kendall) = (Self.spearman(x, y), Self.kendall(x, y))
                #expect(abs(try #require(table[a][b]?["spearman"]?.doubleValue) - spearman) < 1e-12)
                #expect(abs(try #require(table[a][b]?["kendall_tau"]?.doubleValue) - kendall) < 1e-12)
            }
            #expect(table[a][a] == ["spearman": 1, "kendall_tau": 1])
        }
        #expect(try bench.answer(members.merging(["correlations": false]))["correlations"] == nil)
    }

    /// Of values without ties.
    private static func spearman(_ a: [Double], _ b: [Double]) -> Double {
        func ranks(_ values: [Double]) -> [Double] { values.map { value in Double(values.count { $0 < value }) } }
        let squares = zip(ranks(a), ranks(b)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let n = Double(a.count)
        return 1 - 6 * squares / (n * (n * n - 1))
    }

    /// Of values without ties.
    private static func kendall(_ a: [Double], _ b: [Double]) -> Double {
        let pairs = a.indices.flatMap { i in (0..<i).map { (i, $0) } }
        let agreement = pairs.reduce(0) { $0 + ((a[$1.0] < a[$1.1]) == (b[$1.0] < b[$1.1]) ? 1 : -1) }
        return Double(agreement) / Double(pairs.count)
    }

    @Test("the bits do not depend on how many tests go together, nor on threads", arguments: methods.indices)
    func windows(position: Int) throws {
        let members = Self.methods[position]
        let usual = try bench.answer(members)
        let small = bench.engine(memoryBytes: 128 << 10)
        #expect(try bench.answer(members, by: small) == usual)
        if members["solver"] != nil {
            let large = bench.engine()
            _ = try bench.answer(members, by: large)
            #expect(large.counters.batches.value == 2 && small.counters.batches.value > 5)
        }
        for threads in [1, 3] { #expect(try bench.answer(members, by: bench.engine(threads: threads)) == usual) }
    }

    @Test("members are sets: neither their order nor naming one twice changes a bit")
    func order() throws {
        var numbers = SeededNumbers(3)
        func shuffled(_ slices: [(name: String, indices: [Int])]) -> JSON {
            SlicesBench.slices(slices.map { ($0.name, ($0.indices + $0.indices.prefix(1)).shuffled(using: &numbers)) })
        }
        let usual = try bench.answer(["solver": SlicesBench.exact])
        let other = try bench.answer([
            "solver": SlicesBench.exact, "training_slices": shuffled(SlicesBench.training),
            "test_slices": ["dataset": "tests", "slices": shuffled(SlicesBench.tests)],
        ])
        #expect(other == usual)
        // Slices of tests in another order are columns in that order.
        let reversed = try bench.answer([
            "solver": SlicesBench.exact,
            "test_slices": ["dataset": "tests", "slices": SlicesBench.slices(SlicesBench.tests.reversed())],
        ])
        for row in 0..<3 {
            #expect(reversed["matrix"]?[row]?.arrayValue?.reversed() == usual["matrix"]?[row]?.arrayValue)
        }
    }

    @Test("filters name the same as the indices that meet them")
    func filters() throws {
        let sources = (0..<SlicesBench.count).filter { $0 % 3 == 1 }
        let scanned = (0..<SlicesBench.testCount).filter { $0 % 3 == 2 && $0 < 10 }
        let ids = JSON.array(scanned.map { .string("tests-\($0)") })
        let filtered = try bench.answer([
            "solver": SlicesBench.exact, "training_slices": [["name": "a", "where": ["source": "scanner-2"]]],
            "test_slices": ["dataset": "tests", "slices": [["name": "b", "id": ids, "where": ["source": "hand"]]]],
        ])
        let indexed = try bench.answer([
            "solver": SlicesBench.exact, "training_slices": SlicesBench.slices([("a", sources)]),
            "test_slices": ["dataset": "tests", "slices": SlicesBench.slices([("b", scanned)])],
        ])
        #expect(filtered == indexed)
        #expect(filtered["training_slices"] == [["name": "a", "size": 30]])
    }

    @Test("the diagnostics are of the test that was solved least exactly, and say how many converged")
    func diagnostics() throws {
        let members: JSONObject = ["solver": ["name": "cg", "max_iter": 2, "preconditioner": "none"], "damping": 0.1]
        let answer = try bench.answer(members)
        let single = try SlicesBench.tests.flatMap(\.indices).map {
            try #require(try bench.single($0, members).results[0].solved)
        }
        let diagnostics = try #require(answer["diagnostics"])
        #expect(diagnostics["solver"]?.stringValue == "cg" && diagnostics["rank_stable"] == nil)
        #expect(diagnostics["residual"]?.doubleValue == single.map(\.residual).max())
        #expect(diagnostics["converged_tests"]?.integerValue == single.count(where: \.isConverged))
        #expect(diagnostics["converged"] == .bool(single.allSatisfy(\.isConverged)))
        let tracin = try #require(try bench.answer(["method": "tracin_cp"])["diagnostics"])
        #expect(tracin["checkpoints"]?.arrayValue?.count == 2 && tracin["converged_tests"] == nil)
    }
}
