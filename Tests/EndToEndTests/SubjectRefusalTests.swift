import Foundation
import JSON
import Testing

/// Requests whose tests are wrong, on both routes that take tests.
@Suite("Wrong tests in a request")
struct SubjectRefusalTests {
    static let routes = ["/influence", "/predict"]

    private static func ask(_ tests: JSON) -> JSON { ["model": "digits", "tests": tests] }

    private static func input(_ input: JSON, _ more: JSONObject = [:]) -> JSON { ask([JSON.object(["input": input]).with(more)]) }

    private static let row: JSON = .numbers([Double](repeating: 0.5, count: 8))
    private static let flat: JSON = .numbers([Double](repeating: 0.5, count: 64))

    private static func encoded(_ more: JSONObject) -> JSON {
        input(base64Tensor([Float](repeating: 0.5, count: 64), shape: [64]).with(more))
    }

    private static func encodedBits(_ bits: UInt32) -> JSON {
        let values = [Float](repeating: 0.5, count: 63) + [Float(bitPattern: bits)]
        return input(base64Tensor(values, shape: [8, 8]))
    }

    static let rows: [Refusal] = [
        .wrong(["model": "digits"], at: "/tests", "missing"),
        .wrong(ask([]), at: "/tests", "1 to 32"),
        .wrong(ask([:]), at: "/tests", "array"),
        .wrong(ask("digits-test"), at: "/tests", "array"),
        .wrong(ask(.array([JSON](repeating: Demo.test(0), count: 33))), at: "/tests", "1 to 32"),
        .wrong(ask([3]), at: "/tests/0", "object"),
        .wrong(ask([.null]), at: "/tests/0", "object"),
        .wrong(ask([Demo.test(0), [:]]), at: "/tests/1", "dataset", "input"),
        .wrong(ask([["dataset": "digits-test"]]), at: "/tests/0/index", "missing"),
        .wrong(ask([["index": 3]]), at: "/tests/0", "dataset"),
        .wrong(ask([["dataset": "digits-test", "index": -1]]), at: "/tests/0/index"),
        .wrong(ask([["dataset": "digits-test", "index": 1.5]]), at: "/tests/0/index", "integer"),
        .wrong(ask([["dataset": "digits-test", "index": "3"]]), at: "/tests/0/index", "integer"),
        .wrong(ask([["dataset": 5, "index": 3]]), at: "/tests/0/dataset", "string"),
        .wrong(ask([["dataset": "digits-test", "indx": 3]]), at: "/tests/0/indx", "did you mean"),
        .wrong(ask([["dataset": "digits-test", "index": 3, "input": flat]]), at: "/tests/0", "exactly one"),
        .wrong(ask([["input": flat, "index": 3]]), at: "/tests/0/index", "dataset"),
        .unknown("dataset", ask([["dataset": "digits-tset", "index": 3]]), at: "/tests/0/dataset", "'digits-test'"),
        .unknown("index", ask([Demo.test(0), Demo.test(400)]), at: "/tests/1/index", "399"),
        .unknown("index", ask([["dataset": "digits-test", "index": 9_223_372_036_854_775_807]]), at: "/tests/0/index"),
    ]

    static let targets: [Refusal] = [
        .wrong(ask([Demo.test(3).with("target", 10)]), at: "/tests/0/target", "9"),
        .wrong(ask([Demo.test(3).with("target", -1)]), at: "/tests/0/target"),
        .wrong(ask([Demo.test(3).with("target", 1e10)]), at: "/tests/0/target"),
        .wrong(ask([Demo.test(3).with("target", 2.5)]), at: "/tests/0/target", "label"),
        .wrong(ask([Demo.test(3).with("target", "seven")]), at: "/tests/0/target", "number"),
        .wrong(input(flat, ["target": 10]), at: "/tests/0/target", "9"),
    ]

    static let inputs: [Refusal] = [
        .wrong(input(5), at: "/tests/0/input", "array"),
        .wrong(input("0 1 2"), at: "/tests/0/input", "array"),
        .wrong(input([]), at: "/tests/0/input"),
        .wrong(input([[]]), at: "/tests/0/input/0", "empty"),
        .wrong(input([[[]]]), at: "/tests/0/input/0/0", "empty"),
        .wrong(input(.numbers([1, 2, 3])), at: "/tests/0/input", "64"),
        .wrong(input(.numbers([Double](repeating: 0, count: 65))), at: "/tests/0/input", "64"),
        .wrong(input(.array([JSON](repeating: row, count: 7))), at: "/tests/0/input", "[7, 8]", "[8, 8]"),
        .wrong(input(.array([.array([JSON](repeating: row, count: 8))])), at: "/tests/0/input", "[1, 8, 8]"),
        .wrong(input(.array([JSON](repeating: row, count: 7) + [[1, 2]])), at: "/tests/0/input/7", "8 values"),
        .wrong(input(.array([JSON](repeating: row, count: 7) + [1])), at: "/tests/0/input/7"),
        .wrong(input(.array([JSON](repeating: 0, count: 63) + ["x"])), at: "/tests/0/input/63", "number"),
        .wrong(input(.array([JSON](repeating: 0, count: 63) + [.null])), at: "/tests/0/input/63", "number"),
        .wrong(input(.array([JSON](repeating: 0, count: 63) + [1e39])), at: "/tests/0/input", "single precision"),
        // Finite features can make outputs that are not.
        .wrong(input(.numbers((0..<64).map { $0 % 2 == 0 ? 3e38 : -3e38 })), at: "/tests/0", "single precision"),
    ]

    static let encodings: [Refusal] = [
        .wrong(encoded(["base64": "AAAA"]), at: "/tests/0/input/base64", "3 bytes"),
        .wrong(encoded(["base64": "not base64!"]), at: "/tests/0/input/base64", "base64"),
        .wrong(encoded(["base64": ""]), at: "/tests/0/input/base64"),
        .wrong(encoded(["base64": 5]), at: "/tests/0/input/base64", "string"),
        .wrong(encoded(["dtype": "float64"]), at: "/tests/0/input/dtype", "float32"),
        .wrong(encoded(["dtype": .null]), at: "/tests/0/input/dtype"),
        .wrong(encoded(["shape": [63]]), at: "/tests/0/input/base64", "256 bytes"),
        .wrong(encoded(["shape": [2, 32]]), at: "/tests/0/input", "[2, 32]"),
        .wrong(encoded(["shape": [0, 64]]), at: "/tests/0/input/shape/0"),
        .wrong(encoded(["shape": []]), at: "/tests/0/input/shape"),
        .wrong(encoded(["shape": 64]), at: "/tests/0/input/shape"),
        .wrong(encoded(["shape": [2_147_483_647, 2_147_483_647, 2_147_483_647]]), at: "/tests/0/input/base64"),
        .wrong(encoded(["endian": "big"]), at: "/tests/0/input/endian"),
        .wrong(encodedBits(0x7FC0_0000), at: "/tests/0/input/base64", "finite"),
        .wrong(encodedBits(0xFF80_0000), at: "/tests/0/input/base64", "finite"),
    ]

    static let gradients: [Refusal] = [
        .wrong(ask([["gradient": [1, 2]]]), at: "/tests/0/gradient", "650"),
        .wrong(ask([["gradient": "steep"]]), at: "/tests/0/gradient", "array"),
        .wrong(
            ask([["gradient": .numbers([Double](repeating: 1, count: 650)), "target": 3]]), at: "/tests/0/target", "gradient"),
        .wrong(ask([["gradient": base64Tensor([1, 2], shape: [2])]]), at: "/tests/0/gradient", "650"),
    ]

    @Test("rows of datasets", arguments: routes, rows)
    func row(route: String, refusal: Refusal) throws { try refusal.check(route, of: Demo.server()) }

    @Test("targets", arguments: routes, targets)
    func target(route: String, refusal: Refusal) throws { try refusal.check(route, of: Demo.server()) }

    @Test("inputs as numbers", arguments: routes, inputs)
    func input(route: String, refusal: Refusal) throws { try refusal.check(route, of: Demo.server()) }

    @Test("inputs in base64", arguments: routes, encodings)
    func encoding(route: String, refusal: Refusal) throws { try refusal.check(route, of: Demo.server()) }

    @Test("gradients", arguments: gradients)
    func gradient(refusal: Refusal) throws { try refusal.check("/influence", of: Demo.server()) }

    @Test("a gradient predicts nothing")
    func predictGradient() throws {
        let gradient: JSON = .numbers([Double](repeating: 1, count: 650))
        try Refusal.wrong(Self.ask([["gradient": gradient]]), at: "/tests/0", "gradient").check("/predict", of: Demo.server())
    }

    @Test("predictions take no settings of influence", arguments: ["k", "solver", "damping", "deadline"])
    func predictSettings(key: String) throws {
        let body = Self.ask([Demo.test(0)]).with(key, 5)
        try Refusal.wrong(body, at: "/\(key)", "known").check("/predict", of: Demo.server())
    }

    @Test("predictions of unknown models and checkpoints")
    func predictUnknown() throws {
        let body = Self.ask([Demo.test(0)])
        try Refusal.unknown("model", body.with("model", "x"), at: "/model", "digits").check("/predict", of: Demo.server())
        try Refusal.unknown("checkpoint", body.with("checkpoint", "x"), at: "/checkpoint", "final")
            .check("/predict", of: Demo.server())
    }
}
