import Foundation
import JSON
import TestSupport
import Testing

/// What can't be asked of a model without a network.
@Suite("Questions that gradients alone can't answer")
struct GradientImportQueryTests {
    private let bench: Workbench
    private let gradients = ForeignGradients()

    init() throws {
        bench = try Workbench()
        try bench.write("g.npy", gradients.npy())
        try bench.importGradients("m", "g.npy", "--weight-decay", "0.1")
    }

    private func test(_ more: JSONObject) -> JSON { .object(more) }

    @Test("inputs, other datasets, targets, other curvatures and neighbours are refused where they stand, with what would do")
    func refusals() throws {
        let server = try bench.serve()
        let good: JSON = ["model": "m", "tests": [["dataset": "m", "index": 0]]]
        #expect(try server.post("/influence", good).status == 200)
        let cases: [(JSON, pointer: String, mentions: [String])] = [
            (good.with("tests", [["input": [1, 2, 3]]]), "/tests/0/input", ["gradient", "no network"]),
            (good.with("tests", [["input": [1, 2, 3], "target": 1]]), "/tests/0/input", ["gradient"]),
            (good.with("tests", [["dataset": "m", "index": 0, "target": 1]]), "/tests/0/target", ["stored gradient"]),
            (good.with("tests", [["dataset": "other", "index": 0]]), "/tests/0/dataset", ["'m'", "'other'"]),
            (good.with("tests", [["gradient": [1, 2, 3]]]), "/tests/0/gradient", ["3", "7"]),
            (good.with("curvature", "hessian"), "/curvature", ["empirical_fisher", "hessian"]),
            (good.with("curvature", "gauss_newton"), "/curvature", ["empirical_fisher", "gauss_newton"]),
            (good.with("candidates", ["nearest_neighbors": 3]), "/candidates/nearest_neighbors", ["features", "indices"]),
            (good.with("candidates", ["indices": [40]]), "/candidates/indices/0", ["39"]),
        ]
        for (request, pointer, mentions) in cases {
            let problem = try server.post("/influence", request).expectProblem(422, "invalid-request", instance: "/influence")
            #expect(try problem.list("errors")[0]["pointer"]?.stringValue == pointer, "\(problem.text)")
            for words in mentions { #expect(problem.text.contains(words), "\(problem.text)") }
        }
        let beyond = good.with("tests", [["dataset": "m", "index": 40]])
        try server.post("/influence", beyond).expectProblem(404, "unknown-index", instance: "/influence")
        for tests: JSON in [[["gradient": [1, 2, 3, 4, 5, 6, 7]]], [["dataset": "m", "index": 0]], [["input": [1]]]] {
            let answer = try server.post("/predict", ["model": "m", "tests": tests])
            let problem = try answer.expectProblem(422, "invalid-request", instance: "/predict")
            // The decoder refuses a gradient already.
            #expect(problem.text.contains("no network") || tests[0]?["gradient"] != nil, "\(problem.text)")
        }
    }

    @Test("the same is refused before a store's gradients are read, and after")
    func predictFirst() throws {
        for _ in 0..<2 {
            let server = try bench.serve()
            let request: JSON = ["model": "m", "tests": [["dataset": "m", "index": 0]]]
            for _ in 0..<2 {
                let problem = try server.post("/predict", request).expectProblem(422, "invalid-request", instance: "/predict")
                #expect(try problem.list("errors")[0]["pointer"] == "/model")
                #expect(try server.post("/influence", request).status == 200)
            }
        }
    }

    @Test("without weight decay and damping exact says that it needs some, with fewer examples than numbers")
    func singular() throws {
        let few = ForeignGradients(count: 3, width: 8)
        try bench.write("few.npy", few.npy())
        try bench.importGradients("few", "few.npy")
        let server = try bench.serve()
        let request: JSON = ["model": "few", "tests": [["dataset": "few", "index": 0]], "solver": ["name": "exact"]]
        let problem = try server.post("/influence", request).expectProblem(422, instance: "/influence")
        #expect(problem.text.contains("damping"), "\(problem.text)")
        #expect(try server.post("/influence", request.with("damping", 0.1)).status == 200)
    }

    @Test("gradients that don't fit the memory are refused with the setting to raise, and served where it is")
    func memory() throws {
        let many = ForeignGradients(count: 20_000, width: 4)
        try bench.write("many.npy", many.npy())
        try bench.importGradients("many", "many.npy", "--weight-decay", "0.1")
        let request: JSON = ["model": "many", "tests": [["dataset": "many", "index": 0]]]
        let small = try bench.serve(environment: ["INFLUENCED_COMPUTE_MEMORY_BYTES": "1048576"])
        let problem = try small.post("/influence", request).expectProblem(422, "too-large", instance: "/influence")
        for words in ["compute.memory_bytes", "320000", "262144"] { #expect(problem.text.contains(words), "\(problem.text)") }
        #expect(
            try small.post("/influence", request.with("model", "m").with("tests", [["dataset": "m", "index": 0]])).status == 200)
        let large = try bench.serve(environment: ["INFLUENCED_COMPUTE_MEMORY_BYTES": "1280000"])
        #expect(try large.post("/influence", request).status == 200)
    }

    @Test("a network's tests and trainings say what a dataset without inputs lacks")
    func networks() throws {
        let good = try Workbench.prepared()
        try good.write("g.npy", gradients.npy())
        try good.importGradients("m", "g.npy")
        let server = try good.serve()
        let request: JSON = ["model": "good", "tests": [["dataset": "m", "index": 0]]]
        for path in ["/influence", "/predict"] {
            let problem = try server.post(path, request).expectProblem(422, "invalid-request", instance: path)
            #expect(problem.text.contains("no inputs"), "\(problem.text)")
        }
        try good.refuse(
            [
                "import", "model", "--name", "new", "--dataset", "m", "--spec", "@spec.json", "--parameters",
                "@model.safetensors",
            ], ["spec.json", "'m'", "no inputs"])
        try good.refuse(["cache", "--model", "m"], ["'m'"])
    }
}
