import JSON
import LinearAlgebra
import Store
import TestSupport
import Testing

@testable import Service

/// Which examples a filter finds, and what it says where it finds none.
@Suite("Examples by their metadata")
struct FilterTests {
    private let bench: FilterBench

    private static let metadata: [String?] = [
        #"{"source":"scanner-1","width":640,"tags":["blurry","dark"],"camera":{"model":"x","lens":{"f":1.8}}}"#,
        #"{"source":"scanner-2","width":640.0,"date":"2024-01-31","camera.model":"y","camera":{"model":"x"}}"#,
        #"{ "width" : 1.28e3 , "source" : "scanner-2" , "ok" : true , "date" : "2024-02-01" , "tags" : [ ] }"#,
        nil,
        #"{"source":null,"width":"640","nested":{"width":1},"note":"a \"quoted\", {odd} [text]\\","ok":false}"#,
        #"{"\u0073ource":"sc\u0061nner-2","größe":1,"width":-0.0,"tags":["dark",3]}"#,
        "{}",
        #"{"source":{"deep":1},"width":[10,700],"date":"2023-12-31"}"#,
    ]

    init() throws {
        bench = try FilterBench()
        try bench.add("d", Self.metadata, targets: FilterBench.labels([7, 1, 7, 4, 4, 9, 7, 1]))
    }

    @Test(
        "conditions find what they name",
        arguments: [
            // A value: equal, of its own kind, numbers however written, escapes undone.
            (#"{"where": {"source": "scanner-2"}}"#, [1, 2, 5]), (#"{"where": {"width": 640}}"#, [0, 1]),
            (#"{"where": {"width": "640"}}"#, [4]), (#"{"where": {"width": 0}}"#, [5]), (#"{"where": {"ok": true}}"#, [2]),
            (#"{"where": {"source": null}}"#, [4]), (#"{"where": {"größe": 1}}"#, [5]),
            (#"{"where": {"note": "a \"quoted\", {odd} [text]\\"}}"#, [4]),
            // Any of several, and elements of lists.
            (#"{"where": {"source": ["scanner-1", null]}}"#, [0, 4]), (#"{"where": {"tags": "dark"}}"#, [0, 5]),
            (#"{"where": {"tags": ["blurry", 3]}}"#, [0, 5]), (#"{"where": {"width": 700}}"#, [7]),
            // Comparisons; no value is none of the unwanted ones, and of no size.
            (#"{"where": {"width": {"min": 640}}}"#, [0, 1, 2, 7]), (#"{"where": {"width": {"max": 640}}}"#, [0, 1, 5, 7]),
            (#"{"where": {"width": {"min": 20, "max": 600}}}"#, [UInt32]()),
            (#"{"where": {"date": {"min": "2024-01-01", "max": "2024-01-31"}}}"#, [1]),
            (#"{"where": {"source": {"not": "scanner-2"}}}"#, [0, 3, 4, 6, 7]),
            (#"{"where": {"source": {"not": ["scanner-2", null], "exists": true}}}"#, [0, 7]),
            (#"{"where": {"tags": {"not": "dark", "exists": true}}}"#, [2]),
            (#"{"where": {"source": {"exists": false}}}"#, [3, 6]), (#"{"where": {"tags": {"exists": true}}}"#, [0, 2, 5]),
            (#"{"where": {"width": {"min": 1, "not": 640}}}"#, [2, 7]),
            // Keys with dots: a member of that name first, then the way through objects.
            (#"{"where": {"camera.model": "x"}}"#, [0]), (#"{"where": {"camera.model": "y"}}"#, [1]),
            (#"{"where": {"camera.lens.f": {"max": 2}}}"#, [0]), (#"{"where": {"nested.width": 1}}"#, [4]),
            (#"{"where": {"camera": {"exists": true}}}"#, [0, 1]),
            // Several conditions; targets and ids.
            (#"{"where": {"source": "scanner-2", "width": {"min": 1}}}"#, [1, 2]),
            (#"{"where": {"source": "scanner-2"}, "target": 7}"#, [2]), (#"{"target": [1, 9]}"#, [1, 5, 7]),
            (#"{"target": {"min": 5}}"#, [0, 2, 5, 6]), (#"{"target": {"not": [7, 1.0]}}"#, [3, 4, 5]),
            (#"{"id": ["id-6", "id-2"]}"#, [2, 6]), (#"{"id": {"not": "id-0"}, "target": 7}"#, [2, 6]),
        ])
    func found(filter: String, expected: [UInt32]) throws {
        guard !expected.isEmpty else {
            #expect(throws: Problem.self) { try bench.find(filter, in: "d") }
            return
        }
        #expect(try bench.find(filter, in: "d") == expected)
    }

    @Test("are those that reading each example's metadata whole would find", arguments: [3, 4, 5])
    func reference(seed: UInt64) throws {
        var numbers = SeededNumbers(seed)
        let rows: [JSON] = (0..<9_000).map { index in
            var members: JSONObject = ["row": .integer(index)]
            if numbers.uniform() < 0.9 { members["source"] = .string("scanner-\(Int(numbers.uniform() * 5))") }
            if numbers.uniform() < 0.5 { members["size"] = .double(numbers.normal()) }
            if numbers.uniform() < 0.3 { members["a \"key\""] = ["x": .bool(numbers.uniform() < 0.5)] }
            return .object(members)
        }
        try bench.add("large", rows.map { numbers.uniform() < 0.05 ? nil : $0.text }, hasIDs: false)
        let kept = try bench.store.annotations(of: bench.store.dataset(named: "large"), at: Array(0..<9_000))
        func expected(_ holds: (JSON?) -> Bool) throws -> [UInt32] {
            try kept.filter { holds(try $0.metadata.map { try JSON(parsing: $0) }) }.map { UInt32($0.index) }
        }
        #expect(
            try bench.find(#"{"where": {"source": "scanner-3", "size": {"min": 0.25}}}"#, in: "large")
                == expected { $0?["source"]?.stringValue == "scanner-3" && ($0?["size"]?.doubleValue ?? 0) >= 0.25 })
        #expect(
            try bench.find(#"{"where": {"a \"key\".x": true, "source": {"not": "scanner-1"}}}"#, in: "large")
                == expected { $0?["a \"key\""]?["x"]?.boolValue == true && $0?["source"]?.stringValue != "scanner-1" })
        #expect(
            try bench.find(#"{"where": {"size": {"exists": false}}}"#, in: "large") == expected { $0?["size"] == nil })
    }

    @Test("values that are targets are compared in the precision they are kept in")
    func values() throws {
        try bench.add("v", [nil, nil, nil], targets: FilterBench.values([0.1, 0.2, 0.3]), hasIDs: false)
        #expect(try bench.find(#"{"target": 0.1}"#, in: "v") == [0])
        #expect(try bench.find(#"{"target": {"min": 0.1, "max": 0.2}}"#, in: "v") == [0, 1])
        #expect(try bench.find(#"{"target": {"not": 0.3}}"#, in: "v") == [0, 1])
        #expect(
            bench.refusal(#"{"target": {"min": 1}}"#, in: "v") == [
                "/groups/0/target: is that of no example of dataset 'v', where targets are values from 0.1 to 0.3"
            ])
    }

    @Test("a text that is no object, or goes wrong, has no members from there on, and harms nobody")
    func damaged() throws {
        let texts = [
            "{\"a\":1,\"b\"", "{\"a\":", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":[1,{\"a\":2}", "{", "", "[1,2]", "{\"a\" 1}",
            "{\"a\":}",
            "{\"a\":tru}", "{\"b\":2,,\"a\":1}", "{\"\\ud800\":1,\"a\":1}", "}", "{\"a\":1}",
        ]
        let found = texts.map { text in
            var bytes = Array(text.utf8)
            return bytes.withUnsafeMutableBytes {
                MetadataText(bytes: UnsafeRawBufferPointer($0)).values(of: FilterKey(Array("a".utf8))).map(\.count)
            }
        }
        #expect(found == [1, nil, nil, nil, nil, nil, nil, nil, nil, nil, 0, nil, 1, nil, 1])
    }

    @Test("every prefix and every changed byte of a text is read without harm")
    func mutations() throws {
        let text = Array(#"{"a b":[1,"x\"y",{"c":null}],"\u0061":{"b":-1.5e3,"c":"ü"},"z":true}"#.utf8)
        var numbers = SeededNumbers(2)
        var read = 0
        for round in 0..<3_000 {
            var bytes = Array(text.prefix(round % (text.count + 1)))
            for _ in 0..<round % 3 where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = Array(#"{}[]",:\ a1"#.utf8)[round % 11]
            }
            bytes.withUnsafeBytes { bytes in
                let text = MetadataText(bytes: bytes)
                for key in ["a b", "a.b", "z", ""] { read += text.values(of: FilterKey(Array(key.utf8)))?.count ?? 0 }
                text.forEachMember(in: 0..<bytes.count) { member in
                    read += text.text(member.key)?.count ?? 0
                    return true
                }
            }
        }
        #expect(read > 0)
    }

    @Test("asks whether to go on")
    func interruption() throws {
        #expect(throws: Interrupted.self) {
            try bench.find(#"{"where": {"width": 640}}"#, in: "d", interruption: Interruption { true })
        }
        #expect(throws: Interrupted.self) { try bench.find(#"{"target": 7}"#, in: "d", interruption: Interruption { true }) }
    }
}
