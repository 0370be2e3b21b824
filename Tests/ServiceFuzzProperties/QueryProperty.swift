public import FuzzProperties
import InverseCurvature
import JSON
import Service

extension FuzzProperty {
    /// The body of `POST /influence`: it is a question within the limits whose parts fit each other, or a list of issues, each of
    /// which says something about a place that is there or should be. The same of the bodies of all other routes that compute.
    public static let query = FuzzProperty("query") { input throws(Violation) in
        guard let json = try? JSON(parsing: input) else { return }
        var limits = ServiceConfiguration().requestLimits
        limits.maximumTests = 3
        limits.maximumK = 50
        limits.maximumGroups = 2
        limits.maximumSlices = 2
        if let question = try read(json, { json throws(JSONIssues) in try InfluenceRequest(json, limits: limits) }) {
            try requireWithin(limits, question, json)
        }
        if let prediction = try read(json, { json throws(JSONIssues) in try PredictRequest(json, limits: limits) }) {
            try requireTests(prediction.tests, limits, json)
        }
        if let question = try read(json, { json throws(JSONIssues) in try SelfInfluenceRequest(json, limits: limits) }) {
            try require((1...limits.maximumK).contains(question.k), "k is \(question.k)")
            try requireDamping(question.curvature)
        }
        if let question = try read(json, { json throws(JSONIssues) in try ParametersRequest(json, limits: limits) }) {
            try require(!question.removals.isEmpty, "nothing is removed")
            for removal in question.removals { try requireSet(removal.members) }
            try requireDamping(question.system.curvature)
        }
        if let question = try read(json, { json throws(JSONIssues) in try SlicesRequest(json, limits: limits) }) {
            for slices in [question.trainingSlices, question.testSlices] {
                try require((1...limits.maximumSlices).contains(slices.count), "there are \(slices.count) slices")
                try require(Set(slices.map(\.name)).count == slices.count, "two slices have one name")
                for slice in slices {
                    try requireSet(slice.members)
                    try require(json.place(at: slice.pointer.description) != .none, "a slice is said to be at \(slice.pointer)")
                }
            }
        }
    }

    /// What a body is read as; nil where it is refused with a good report.
    private static func read<Question>(
        _ json: JSON, _ decode: (JSON) throws(JSONIssues) -> Question
    ) throws(Violation) -> Question? {
        do throws(JSONIssues) { return try decode(json) } catch {
            try requireReport(error, of: json)
            return nil
        }
    }

    private static func requireDamping(_ curvature: CurvatureRequest) throws(Violation) {
        try require((0...1e9).contains(curvature.damping), "the damping is \(curvature.damping)")
    }

    private static func requireReport(_ error: JSONIssues, of json: JSON) throws(Violation) {
        try require((1...JSONIssueCollector.limit).contains(error.issues.count), "there are \(error.issues.count) issues")
        try require(error.omitted == 0 || error.issues.count == JSONIssueCollector.limit, "\(error.omitted) were left out")
        for issue in error.issues {
            try require(issue.detail.isReadable(atMost: 1_000), "an issue says \(issue.detail.debugDescription)")
            try require(json.place(at: issue.pointer) != .none, "an issue is about \(issue.pointer), which is nowhere")
        }
    }

    private static func requireWithin(
        _ limits: RequestLimits, _ question: InfluenceRequest, _ json: JSON
    ) throws(Violation) {
        try requireTests(question.tests, limits, json)
        try require((1...limits.maximumK).contains(question.k), "k is \(question.k)")
        try requireDamping(question.system.curvature)
        try require(question.id.map { (1...128).contains($0.unicodeScalars.count) } ?? true, "the id is \(question.id ?? "")")
        try require(
            question.deadlineMilliseconds.map { (1...limits.maximumDeadlineMilliseconds).contains($0) } ?? true,
            "the deadline is \(question.deadlineMilliseconds ?? 0)")
        try require(question.groups.count <= limits.maximumGroups, "there are \(question.groups.count) groups")
        try require(Set(question.groups.map(\.name)).count == question.groups.count, "two groups have one name")
        for group in question.groups {
            try require((1...128).contains(group.name.unicodeScalars.count), "a group is \(group)")
            try requireSet(group.members)
        }
        switch question.candidates {
        case .nearestNeighbors(let count, _): try require(count >= 1, "there are \(count) neighbours")
        case .these(let set): try requireSet(set)
        case nil: break
        }
        try require(
            question.compared.isEmpty || question.compared.count > 1 && question.compared[0] == question.method,
            "compared are \(question.compared.count) methods")
        if let choice = question.system.solver.lissa {
            let counts = [choice.recursionDepth, choice.numRepeat, choice.batchSize].compactMap { $0 }
            try require(counts.allSatisfy { $0 >= 1 } && choice.scale.map { $0 > 0 } ?? true, "the solver is \(choice)")
        }
    }

    /// Named examples are some, and rows.
    private static func requireSet(_ set: ExampleSet) throws(Violation) {
        guard case .indices(let indices) = set else { return }
        try require(!indices.isEmpty && indices.allSatisfy { $0 >= 0 }, "examples are \(indices)")
    }

    /// Tests are as many as may be, each at the place that it names, and their numbers are as many as their shape says.
    private static func requireTests(
        _ tests: [InfluenceRequest.Test], _ limits: RequestLimits, _ json: JSON
    ) throws(Violation) {
        try require((1...limits.maximumTests).contains(tests.count), "there are \(tests.count) tests")
        for (index, test) in tests.enumerated() {
            let place = json["tests"]?[index].map { JSON.Place.value($0) }
            try require(json.place(at: test.pointer) == place, "test \(index) is said to be at \(test.pointer)")
            try require([test.target, test.versus].allSatisfy { $0?.isFinite ?? true }, "a target is not a number")
            switch test.source {
            case .example(_, let index): try require(index >= 0, "an index is \(index)")
            case .gradient(let values): try require(values.allSatisfy(\.isFinite), "a gradient is \(values)")
            case .input(let values, let shape):
                try require(values.allSatisfy(\.isFinite), "an input is \(values)")
                try require(shape.reduce(1, *) == values.count, "\(values.count) numbers are said to have the shape \(shape)")
            }
        }
    }
}
