import TestSupport
import Testing

@testable import Service

/// What a filter says where it can find nothing: what there is.
@Suite("Filters that find nothing")
struct FilterRefusalTests {
    private let bench: FilterBench

    init() throws {
        bench = try FilterBench()
        let rows = (0..<60).map { index in
            "{\"source\": \"scanner-\(index % 3)\", \"size\": \(index), \"at\": {\"site\": \(index < 9 ? "null" : "\"a\"")}}"
        }
        try bench.add("d", rows, targets: FilterBench.labels((0..<60).map { Int32($0 % 4) }))
        try bench.add("bare", [nil, nil], targets: FilterBench.labels([0, 1]), hasIDs: false)
        try bench.add("untold", [nil, "{}"])
    }

    @Test(
        "say what there is instead",
        arguments: [
            (
                #"{"where": {"sorce": "scanner-1"}}"#, "d",
                "/groups/0/where/sorce: is a key that no example of dataset 'd' has; there are at.site (60 examples), size (60), source (60)"
            ),
            (
                #"{"where": {"source": "scanner-9"}}"#, "d",
                "/groups/0/where/source: holds of no example of dataset 'd', where its values are \"scanner-0\" (20 examples), \"scanner-1\" (20), \"scanner-2\" (20)"
            ),
            (
                #"{"where": {"at.site": "b"}}"#, "d",
                "/groups/0/where/at.site: holds of no example of dataset 'd', where its values are \"a\" (51 examples), null (9)"
            ),
            (
                #"{"where": {"source": {"exists": false}}}"#, "d",
                "/groups/0/where/source: holds of no example of dataset 'd': all have it"
            ),
            (
                #"{"where": {"source": "scanner-1", "size": 0}}"#, "d",
                "/groups/0: no example of dataset 'd' meets all conditions, though each of them holds of some"
            ),
            (
                #"{"where": {"source": "scanner-1"}, "target": 7}"#, "d",
                "/groups/0/target: is that of no example of dataset 'd', where targets are 0 (15 examples), 1 (15), 2 (15), 3 (15)"
            ),
            (
                #"{"id": ["id-3", "id-61", "nobody"]}"#, "d",
                "/groups/0/id: no example of dataset 'd' has the ids \"id-61\", \"nobody\""
            ),
            (#"{"id": "id-3"}"#, "bare", "/groups/0/id: cannot be asked for: the examples of dataset 'bare' have no ids"),
            (
                #"{"where": {"a": 1}}"#, "bare",
                "/groups/0/where: cannot be asked for: the examples of dataset 'bare' have no metadata; it comes in with them, by import dataset --metadata"
            ),
            (
                #"{"where": {"a": {"not": 1}}}"#, "untold",
                "/groups/0/where: cannot be asked for: the examples of dataset 'untold' have no metadata; it comes in with them, by import dataset --metadata"
            ),
            (
                #"{"target": 1}"#, "untold",
                "/groups/0/target: cannot be asked for: the examples of dataset 'untold' have no targets"
            ),
        ])
    func refusals(filter: String, dataset: String, issue: String) {
        #expect(bench.refusal(filter, in: dataset) == [issue])
    }

    @Test("a key that nobody has is a slip even where its absence would meet the condition", arguments: ["not", "exists"])
    func absent(kind: String) {
        let value = kind == "not" ? "\"scanner-1\"" : "false"
        let issues = bench.refusal("{\"where\": {\"sauce\": {\"\(kind)\": \(value)}, \"size\": {\"min\": 3}}}", in: "d")
        #expect(issues.count == 1 && issues[0].hasPrefix("/groups/0/where/sauce: is a key that no example"))
    }

    @Test("list the commonest of many keys and values, and make control characters legible")
    func many() throws {
        let rows = (0..<40).map { index in "{\"key-\(index)\": 1, \"all\": \"value \(index)\", \"odd\\u001b[31m\": \(index)}" }
        try bench.add("many", rows)
        let keys = bench.refusal(#"{"where": {"no": 1}}"#, in: "many")
        #expect(keys.count == 1 && keys[0].contains("there are all (40 examples), odd\\u{1b}[31m (40), key-0 (1)"))
        #expect(keys[0].hasSuffix("and 22 more"))
        let values = bench.refusal(#"{"where": {"all": "x", "key-3": 2}}"#, in: "many")
        #expect(values.count == 2 && values[0].hasSuffix("and 20 more"))
        #expect(
            values[1] == "/groups/0/where/key-3: holds of no example of dataset 'many', where its values are 1 (1 example)")
    }
}
