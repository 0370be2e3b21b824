internal import Dispatch
internal import Foundation
internal import HTTP
internal import JSON
internal import LinearAlgebra

// The routes that compute.
extension API {
    func answerInfluence(_ request: Request, _ reply: @escaping @Sendable (Response) -> Void) {
        computing(request, reply) { json, call in
            let question = try InfluenceRequest(json, limits: configuration.requestLimits)
            let interruption = call.interruption(after: question.deadlineMilliseconds ?? configuration.deadlineMilliseconds)
            let answer = try engine.influence(question, interruption: interruption)
            return answer.json(
                id: question.id ?? call.id, queueMilliseconds: call.queueMilliseconds,
                totalMilliseconds: call.elapsedMilliseconds)
        }
    }

    func answerPredict(_ request: Request, _ reply: @escaping @Sendable (Response) -> Void) {
        computing(request, reply) { json, call in
            let question = try PredictRequest(json, limits: configuration.requestLimits)
            return try engine.predict(question, id: question.id ?? call.id)
        }
    }

    /// Queues a request's work, and answers with what comes of it.
    private func computing(
        _ request: Request, _ reply: @escaping @Sendable (Response) -> Void,
        _ work: @escaping @Sendable (JSON, Call) throws -> JSON
    ) {
        let call = Call(cancellation: request.cancellation)
        let deadline = DispatchTime.now() + .milliseconds(configuration.deadlineMilliseconds)
        let isAdmitted = compute.submit(deadline: deadline) { outcome in
            var id: String?
            do {
                guard outcome == .run else { throw Interrupted() }
                // A client that went away while it waited is not computed for.
                guard !request.cancellation.isCancelled else { throw Interrupted() }
                let json = try JSON(parsing: request.body)
                id = json["id"]?.stringValue.flatMap { $0.utf8.count <= 128 ? $0 : nil }
                reply(.json(try work(json, call.started()).serialized()))
            } catch {
                reply(response(to: error, request, id: id))
            }
        }
        if !isAdmitted { reply(overloaded(request)) }
    }
}

/// One request on its way through the pool.
struct Call: Sendable {
    /// Names the answer where the client has not.
    let id = UUID().uuidString.lowercased()
    private let cancellation: Cancellation
    private let arrival = DispatchTime.now()
    private var start = DispatchTime.now()

    init(cancellation: Cancellation) { self.cancellation = cancellation }

    /// The same call, now that a worker has it.
    func started() -> Call {
        var call = self
        call.start = .now()
        return call
    }

    var queueMilliseconds: Double { milliseconds(to: start) }
    var elapsedMilliseconds: Double { milliseconds(to: .now()) }

    /// Raised once the client has gone, or `milliseconds` after the request arrived.
    func interruption(after milliseconds: Int) -> Interruption {
        let deadline = arrival + .milliseconds(milliseconds)
        return Interruption { [cancellation] in cancellation.isCancelled || DispatchTime.now() > deadline }
    }

    private func milliseconds(to time: DispatchTime) -> Double {
        Double(time.uptimeNanoseconds - arrival.uptimeNanoseconds) / 1e6
    }
}
