import JSON
import TestSupport
import Testing

/// Which examples are scored and listed, and what an answer carries of them.
@Suite("Selection and content of an answer")
struct InfluenceSelectionTests {
    private let server: InfluencedServer

    init() throws { server = try Demo.server() }

    private func result(_ more: JSONObject, test: Int = 3) throws -> JSON {
        try server.influence(Demo.question(test, more)).result
    }

    private func allScores(test: Int = 3) throws -> [Float] {
        try result(["include": ["all_scores"]], test: test).tensor("all_scores")
    }

    @Test("the first five of fifty are the five")
    func prefixes() throws {
        for solver: JSON in [["name": "exact"], ["name": "lissa"]] {
            let (few, many) = (try result(["k": 5, "solver": solver]), try result(["k": 50, "solver": solver]))
            for end in ["proponents", "opponents"] {
                #expect(try few.list(end).count == 5)
                #expect(try Array(many.list(end).prefix(5)) == few.list(end))
            }
        }
    }

    @Test("a k beyond all examples lists every example of its sign, and none twice")
    func everything() throws {
        let result = try result(["k": 1_000])
        let scores = try allScores()
        #expect(try result.list("proponents").count == min(1_000, scores.count { $0 > 0 }))
        #expect(try result.list("opponents").count == min(1_000, scores.count { $0 < 0 }))
        let indices = try result.listed.map { try $0.integer("index") }
        #expect(Set(indices).count == indices.count)
    }

    @Test("all_scores is every example's score, and the lists are its two ends")
    func allScoresMatch() throws {
        let result = try result(["include": ["all_scores"], "k": 20])
        let scores = try result.tensor("all_scores")
        #expect(scores.count == 1_397)
        let ascending = scores.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] < scores[$1] }
        #expect(try result.list("opponents").map { try $0.integer("index") } == Array(ascending.prefix(20)))
        #expect(try Set(result.list("proponents").map { try $0.integer("index") }) == Set(ascending.suffix(20)))
        for example in try result.listed {
            #expect(try Float(example.number("score")) == scores[example.integer("index")])
        }
    }

    @Test("a group's score is the sum of its members'")
    func groups() throws {
        let scores = try allScores()
        let members = [[3], [0, 1, 2, 1_396], Array(stride(from: 0, to: 1_397, by: 5))]
        let groups: JSON = .array(
            members.enumerated().map { ["name": "group \($0)", "indices": .numbers($1.map(Double.init))] })
        for (position, group) in try result(["groups": groups]).list("groups").enumerated() {
            let sum = members[position].reduce(0.0) { $0 + Double(scores[$1]) }
            let size = members[position].reduce(0.0) { $0 + abs(Double(scores[$1])) }
            #expect(group["name"]?.stringValue == "group \(position)")
            #expect(try group.integer("size") == members[position].count)
            #expect(try abs(group.number("score") - sum) < 1e-5 * size)
            #expect(try abs(group.number("predicted_loss_change_if_removed") - sum / 1_397) < 1e-5 * size / 1_397)
        }
        let errors = try result(["groups": groups, "solver": ["name": "lissa"]]).list("groups")
        for group in errors { #expect(try group.number("standard_error") > 0) }
    }

    @Test("candidates by index are the only ones scored, with the scores they always have")
    func candidateIndices() throws {
        let scores = try allScores()
        let wanted = [1_396, 4, 700, 5, 123]
        let result = try result(["candidates": ["indices": .numbers(wanted.map(Double.init))], "include": ["all_scores"]])
        #expect(try result.integer("n_candidates") == wanted.count)
        #expect(try Set(result.listed.map { try $0.integer("index") }) == Set(wanted))
        for example in try result.listed { #expect(try Float(example.number("score")) == scores[example.integer("index")]) }
        let indices = try #require(result.member("all_scores_indices").numbersValue)
        #expect(try result.tensor("all_scores") == indices.map { scores[Int($0)] })
    }

    @Test("a candidate named twice is scored and listed once")
    func repeatedCandidates() throws {
        let result = try result(["candidates": ["indices": [9, 9, 9]]])
        #expect(try result.listed.map { try $0.integer("index") } == [9])
    }

    @Test("nearest neighbours are the training examples nearest to the test")
    func nearestNeighbors() throws {
        let test = try #require(server.get("/datasets/digits-test/examples/3").json["input"]?.flattened)
        let all = try result(["k": 1_000, "include": ["inputs"]]).listed
        let distances = try all.map { example in
            let input = try #require(example["input"]?.flattened)
            return (
                index: try example.integer("index"), distance: zip(input, test).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            )
        }
        let sorted = distances.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }
        let expected = Set(sorted.prefix(30).map(\.index))
        // A tie at the border would leave it open who is in.
        try #require(sorted[29].distance < sorted[30].distance)
        let result = try result(["candidates": ["nearest_neighbors": 30], "k": 30])
        #expect(try result.integer("n_candidates") == 30)
        #expect(try Set(result.listed.map { try $0.integer("index") }) == expected)
    }

    @Test("as many neighbours as there are examples, or more, are all examples", arguments: [1_397, 5_000])
    func allNeighbors(count: Int) throws {
        let (limited, free) = (try result(["candidates": ["nearest_neighbors": .integer(count)]]), try result([:]))
        #expect(limited["proponents"] == free["proponents"] && limited["opponents"] == free["opponents"])
    }

    @Test("each test of a request has its own neighbours")
    func neighborsOfSeveral() throws {
        let candidates: JSON = ["nearest_neighbors": 12]
        let tests: JSON = [Demo.test(3), Demo.test(40)]
        let together = try server.influence(Demo.question(0, ["tests": tests, "candidates": candidates])).results
        for (index, result) in zip([3, 40], together) {
            let alone = try self.result(["candidates": candidates], test: index)
            #expect(
                try Set(result.listed.map { $0["index"]?.integerValue }) == Set(alone.listed.map { $0["index"]?.integerValue }))
        }
    }

    @Test("an answer carries what is asked for, and nothing else")
    func include() throws {
        let plain = try result(["include": []])
        #expect(try plain.listed.allSatisfy { $0["metadata"] == nil && $0["input"] == nil })
        // An id says which example it is, as the index does; it is no metadata.
        #expect(try plain.listed.allSatisfy { $0["id"]?.stringValue?.hasPrefix("uci-digits-") == true })
        #expect(plain["all_scores"] == nil && plain["s_test"] == nil)
        let full = try result(["include": ["inputs", "metadata", "all_scores", "s_test"], "k": 3])
        for example in try full.listed {
            let stored = try server.get("/datasets/digits-train/examples/\(try example.integer("index"))").json
            #expect(example["input"] == stored["input"])
            #expect(example["metadata"] == stored["metadata"])
        }
        #expect(try full.tensor("s_test").count == 650)
        #expect(try full.tensor("all_scores").count == 1_397)
    }

    @Test("the s_test of an answer gives its scores")
    func sTest() throws {
        let answer = try result(["include": ["s_test", "all_scores", "inputs"], "k": 10])
        let sTest = try answer.tensor("s_test")
        for example in try answer.listed {
            let index = try example.integer("index")
            let row: JSON = ["model": "digits", "tests": [["dataset": "digits-train", "index": .integer(index)]]]
            let prediction = try server.predict(row).result
            let probabilities = try #require(prediction["probabilities"]?.numbersValue)
            let input = try #require(example["input"]?.flattened)
            let residual = try probabilities.enumerated().map { try $1 - ($0 == example.integer("target") ? 1 : 0) }
            let gradient = residual.flatMap { r in input.map { r * $0 } } + residual
            let product = zip(sTest, gradient).reduce(0.0) { $0 + Double($1.0) * $1.1 }
            #expect(try abs(product - example.number("score")) < 1e-4 * abs(product))
        }
    }
}

extension JSON {
    /// The numbers of a nested array, in order.
    var flattened: [Double] { numbersValue ?? (arrayValue ?? []).flatMap(\.flattened) }
}
