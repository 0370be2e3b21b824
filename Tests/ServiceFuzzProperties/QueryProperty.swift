public import FuzzProperties
import InverseCurvature
import JSON
import Service

extension FuzzProperty {
    /// The body of `POST /influence`: it is a question within the limits whose parts fit each other, or a list of issues, each of
    /// which says something about a place that is there or should be. The same of the bodies of `POST /predict` and
    /// `POST /self-influence`.
    public static let query = FuzzProperty("query") { input throws(Violation) in
        guard let json = try? JSON(parsing: input) else { return }
        var limits = ServiceConfiguration().requestLimits
        limits.maximumTests = 3
        limits.maximumK = 50
        limits.maximumGroups = 2
        let question: InfluenceRequest?
        do throws(JSONIssues) { question = try InfluenceRequest(json, limits: limits) } catch {
            question = nil
            try requireReport(error, of: json)
        }
        if let question { try requireWithin(limits, question, json) }

        let prediction: PredictRequest?
        do throws(JSONIssues) { prediction = try PredictRequest(json, limits: limits) } catch {
            prediction = nil
            try requireReport(error, of: json)
        }
        if let prediction { try requireTests(prediction.tests, limits, json) }

        let selfInfluence: SelfInfluenceRequest?
        do throws(JSONIssues) { selfInfluence = try SelfInfluenceRequest(json, limits: limits) } catch {
            selfInfluence = nil
            try requireReport(error, of: json)
        }
        if let selfInfluence {
            try require((1...limits.maximumK).contains(selfInfluence.k), "k is \(selfInfluence.k)")
            try require((0...1e9).contains(selfInfluence.damping), "the damping is \(selfInfluence.damping)")
        }
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
        try require((0...1e9).contains(question.system.damping), "the damping is \(question.system.damping)")
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
            try require(test.target.map { $0 >= 0 } ?? true, "a target is \(test.target ?? 0)")
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
