internal import Dispatch

/// What can be asked of the engine that computes. Equal questions have equal answers: what a request is called is not part of it, nor how
/// long it may take, unless its answer gets the better with time.
struct Question: Hashable, Sendable {
    /// What is asked.
    enum Content: Hashable, Sendable {
        case influence(InfluenceRequest)
        case parameters(ParametersRequest)
        case selfInfluence(SelfInfluenceRequest)
        case slices(SlicesRequest)
        case predict(PredictRequest)
        case spectrum(SpectrumRequest)
    }

    let content: Content
    /// The names in it, as they were written. Swift takes texts for equal that are the same to a reader; answers repeat the bytes.
    private let spelling: [UInt8]
    /// Computed once: a question may carry gradients of many numbers.
    private let hash: Int

    /// When the answer is wanted by, where it gets the better with time. Whoever joins later gets what the first asked for.
    let deadline: DispatchTime?

    /// - Parameter deadlineMilliseconds: where the request sets itself none.
    init(_ request: InfluenceRequest, deadlineMilliseconds: Int) {
        var request = request
        let milliseconds = request.deadlineMilliseconds ?? deadlineMilliseconds
        (request.id, request.deadlineMilliseconds) = (nil, request.until == nil ? nil : milliseconds)
        let names =
            request.names + request.groups.map(\.name) + request.tests.compactMap(\.dataset)
        self.init(
            content: .influence(request), names: names,
            deadline: request.until.map { _ in DispatchTime.now() + .milliseconds(milliseconds) })
    }

    init(_ request: ParametersRequest) {
        var request = request
        (request.id, request.deadlineMilliseconds) = (nil, nil)
        let names = [request.model, request.checkpoint ?? ""] + request.removals.compactMap(\.name)
        self.init(content: .parameters(request), names: names)
    }

    init(_ request: SelfInfluenceRequest) {
        var request = request
        (request.id, request.deadlineMilliseconds) = (nil, nil)
        self.init(
            content: .selfInfluence(request),
            names: [request.model, request.checkpoint ?? "", request.gradients ?? ""] + request.method.choice.names)
    }

    init(_ request: SlicesRequest) {
        var request = request
        (request.scoring.id, request.scoring.deadlineMilliseconds) = (nil, nil)
        let scoring = request.scoring
        let names =
            scoring.names + [request.dataset]
            + (request.trainingSlices + request.testSlices).map(\.name)
        self.init(content: .slices(request), names: names)
    }

    init(_ request: PredictRequest) {
        var request = request
        request.id = nil
        let names = [request.model, request.checkpoint ?? ""] + request.tests.compactMap(\.dataset)
        self.init(content: .predict(request), names: names)
    }

    init(_ request: SpectrumRequest) {
        var request = request
        request.deadlineMilliseconds = nil
        self.init(content: .spectrum(request), names: [request.model, request.checkpoint ?? ""])
    }

    private init(content: Content, names: [String], deadline: DispatchTime? = nil) {
        self.content = content
        self.deadline = deadline
        spelling = Array(names.joined(separator: "\0").utf8)
        hash = content.hashValue
    }

    static func == (a: Question, b: Question) -> Bool { a.hash == b.hash && a.spelling == b.spelling && a.content == b.content }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

extension Question {
    /// What questions have in common that are solved and scored together.
    struct Companion: Hashable, Sendable {
        let model: String
        let checkpoint: String?
        let method: InfluenceRequest.Method
        let system: SystemRequest
    }

    /// With which others it goes together; nil for none.
    var companion: Companion? {
        // What goes on in rounds goes on at its own pace.
        guard case .influence(let request) = content, request.until == nil, request.compared.isEmpty else { return nil }
        return Companion(
            model: request.model, checkpoint: request.checkpoint, method: request.method, system: request.system)
    }

    /// Its right-hand sides.
    var width: Int {
        guard case .influence(let request) = content else { return 0 }
        return request.aggregate == .none ? request.tests.count : 1
    }
}

extension InfluenceRequest {
    /// The names that say how examples are scored.
    fileprivate var names: [String] {
        var names = [model, checkpoint ?? "", gradients ?? ""] + (compared + [method]).flatMap(\.choice.names)
        if case .nearestNeighbors(_, let layer) = candidates { names += layer.names }
        return names
    }
}

extension InfluenceRequest.Test {
    /// The dataset it names.
    fileprivate var dataset: String? {
        if case .example(let dataset, _) = source { dataset } else { nil }
    }
}

/// What came of a question.
enum Answer: Sendable {
    case influence(Attributions)
    case parameters(ParametersAnswer)
    case selfInfluence(SelfInfluenceAnswer)
    case slices(SlicesAnswer)
    case predict(PredictAnswer)
    case spectrum(SpectrumAnswer)
}
