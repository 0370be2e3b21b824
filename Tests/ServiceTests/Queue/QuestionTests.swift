import JSON
import Testing

@testable import Service

@Suite("Questions")
struct QuestionTests {
    /// Members that make another question, and whether it still goes together with the plain one.
    static let variations: [(members: JSONObject, isCompanion: Bool)] = [
        (["model": "other"], false), (["checkpoint": "last"], false), (["curvature": "empirical_fisher"], false),
        (["damping": 0.5], false), (["damping_mode": "relative"], false), (["solver": ["name": "exact"]], false),
        (["solver": ["seed": 7]], false), (["solver": ["recursion_depth": 9]], false), (["solver": ["num_repeat": 2]], false),
        (["solver": ["batch_size": 8]], false), (["solver": ["scale": 3.5]], false),
        (["k": 3], true), (["candidates": ["indices": [1, 2]]], true), (["candidates": ["nearest_neighbors": 4]], true),
        (["groups": [["name": "g", "indices": [0]]]], true), (["include": ["all_scores"]], true), (["aggregate": "sum"], true),
        (["tests": [["dataset": "d", "index": 8]]], true), (["tests": [["dataset": "d", "index": 0, "target": 1]]], true),
        (["tests": [["gradient": [1, 2, 3]]]], true),
    ]

    @Test("what a request is called and how long it may take are no part of it")
    func equality() throws {
        let plain = try Question.influence()
        let named = try Question.influence(0, ["id": "b", "deadline_ms": 5])
        #expect(plain == named && plain.hashValue == named.hashValue && plain.companion == named.companion)
        #expect(try Question.predict(1, id: "a") == Question.predict(1, id: "b"))
    }

    @Test("all else is, and what determines the system and its solver decides which go together", arguments: variations.indices)
    func variation(_ index: Int) throws {
        let (members, isCompanion) = Self.variations[index]
        let (plain, other) = (try Question.influence(), try Question.influence(0, members))
        #expect(plain != other)
        #expect((plain.companion == other.companion) == isCompanion)
        #expect(other == (try Question.influence(0, members)))
    }

    @Test("predictions differ by their tests, and go together with nothing")
    func predictions() throws {
        #expect(try Question.predict(1) != Question.predict(2))
        #expect(try Question.predict(1).companion == nil && Question.predict(1).width == 0)
        #expect(try Question.influence().companion != nil)
    }

    @Test("as wide as its tests; an aggregate is one right-hand side")
    func width() throws {
        #expect(try Question.influence(0, tests: 5).width == 5)
        #expect(try Question.influence(0, tests: 5, ["aggregate": "mean"]).width == 1)
    }

    @Test(
        "a name in another spelling makes another one, as answers repeat it",
        arguments: [
            #""checkpoint": "NAME""#, #""gradients": "NAME""#, #""groups": [{"name": "NAME", "indices": [0]}]"#,
            #""candidates": {"nearest_neighbors": 3, "layer": "NAME"}"#, #""method": "nearest_neighbor", "layer": "NAME""#,
            #""method": "tracin_cp", "checkpoints": ["NAME"]"#, #""method": "trak", "checkpoints": ["NAME"]"#,
            #""method": "trak", "models": ["NAME"]"#, #""compare": ["influence", "nearest_neighbor"], "layer": "NAME""#,
        ])
    func spelling(members: String) throws {
        func question(_ name: String) throws -> Question {
            let members = try JSON(parsing: "{\(members)}".replacing("NAME", with: name)).objectValue
            return try .influence(0, #require(members))
        }
        // One letter: U+00E9, or e and U+0301.
        #expect(try question("\u{e9}") != question("e\u{301}"))
        #expect(try question("\u{e9}") == question("\u{e9}"))
    }
}
