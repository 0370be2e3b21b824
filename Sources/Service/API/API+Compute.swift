internal import Dispatch
internal import HTTP
internal import JSON
internal import LinearAlgebra

// The routes that compute.
extension API {
    /// Answers what a route takes.
    func answer(_ route: QueryRoute, _ request: Request, _ reply: @escaping @Sendable (Response) -> Void) {
        computing(request, metrics.route(route.rawValue), reply) { id in
            let json = try JSON(parsing: request.body)
            id = json.requestID
            return try route.question(
                json, limits: configuration.requestLimits, deadlineMilliseconds: configuration.deadlineMilliseconds)
        }
    }

    /// Has a request read by a decoder, and its question answered through the gate. Decoders are apart from the workers, so that a bad
    /// request costs no worker's time, and a good one's own deadline counts while it waits.
    /// - Parameters:
    ///   - type: the media type of the answer.
    ///   - decode: gives the question, its deadline, and what the request calls itself.
    func computing(
        _ request: Request, _ route: RouteMetrics, as type: String = MediaTypes.json,
        _ reply: @escaping @Sendable (Response) -> Void,
        _ decode: @escaping @Sendable (_ id: inout String?) throws -> (Question, deadlineMilliseconds: Int?)
    ) {
        let call = Call(
            deadlines: deadlines, milliseconds: configuration.deadlineMilliseconds, cancellation: request.cancellation,
            reply: reply
        ) { [metrics] in
            metrics.deadlineExceeded.add()
            return response(to: Interrupted(), request)
        }
        let isAdmitted = decoders.submit {
            guard !call.isOver else { return }
            var id: String?
            do {
                let (question, deadline) = try decode(&id)
                if let deadline { call.setDeadline(milliseconds: deadline) }
                let isAsked = gate.ask(question, for: call) { [id] delivery in
                    deliver(delivery, of: route, as: type, to: call, request, id: id)
                }
                if !isAsked { call.answer { overloaded(request.head) } }
            } catch {
                call.answer { response(to: error, request, id: id) }
            }
        }
        if !isAdmitted { call.answer { overloaded(request.head) } }
    }

    private func deliver(
        _ delivery: ComputeGate.Delivery, of route: RouteMetrics, as type: String, to call: Call, _ request: Request, id: String?
    ) {
        let visit = request.context as? Visit
        let queued = call.milliseconds(to: delivery.start)
        route.waited(seconds: queued / 1_000)
        call.answer {
            switch delivery.outcome {
            case .failure(let error): return response(to: error, request, id: id)
            case .success(let answer):
                let name = id ?? visit?.requestID.description ?? RequestIdentifier().description
                let total = call.milliseconds(to: .now())
                visit?.timings = answer.timings(queued: queued, total: total)
                if case .spectrum(let answer) = answer { return response(with: answer, as: type, to: request) }
                return .json(answer.json(id: name, queueMilliseconds: queued, totalMilliseconds: total).serialized())
            }
        }
    }
}

extension JSON {
    /// The name that a request gives itself, as answers and refusals repeat it.
    var requestID: String? { self["id"]?.stringValue.flatMap { (1...128).contains($0.unicodeScalars.count) ? $0 : nil } }
}

extension Answer {
    /// The answer as the interface shows it, to whoever asked by the name of `id`.
    func json(id: String, queueMilliseconds: Double, totalMilliseconds: Double) -> JSON {
        switch self {
        case .influence(let answer):
            answer.json(id: id, queueMilliseconds: queueMilliseconds, totalMilliseconds: totalMilliseconds)
        case .parameters(let answer): answer.json(id: id)
        case .selfInfluence(let answer):
            answer.json(id: id, queueMilliseconds: queueMilliseconds, totalMilliseconds: totalMilliseconds)
        case .slices(let answer):
            answer.json(id: id, queueMilliseconds: queueMilliseconds, totalMilliseconds: totalMilliseconds)
        case .predict(let answer): answer.json(id: id)
        case .spectrum(let answer): answer.json
        }
    }

    /// Where the time went.
    func timings(queued: Double, total: Double) -> [(name: String, milliseconds: Double)] {
        switch self {
        case .influence(let answer):
            [
                ("queue", queued), ("s_test", answer.first.sTestMilliseconds), ("score", answer.first.scoreMilliseconds),
                ("total", total),
            ]
        case .selfInfluence(let answer): [("queue", queued), ("score", answer.scoreMilliseconds), ("total", total)]
        case .slices(let answer):
            [
                ("queue", queued), ("s_test", answer.sTestMilliseconds), ("score", answer.scoreMilliseconds), ("total", total),
            ]
        case .parameters, .predict, .spectrum: [("queue", queued), ("total", total)]
        }
    }
}
