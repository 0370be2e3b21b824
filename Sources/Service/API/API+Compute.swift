internal import Dispatch
internal import Foundation
internal import HTTP
internal import JSON
internal import LinearAlgebra

// The routes that compute.
extension API {
    func answerInfluence(_ request: Request, _ reply: @escaping @Sendable (Response) -> Void) {
        computing(request, reply) { json in
            let question = try InfluenceRequest(json, limits: configuration.requestLimits)
            let deadline = question.deadlineMilliseconds ?? configuration.deadlineMilliseconds
            return Work(deadlineMilliseconds: deadline) { call in
                let answer = try engine.influence(question, interruption: call.interruption(after: deadline))
                return answer.json(
                    id: question.id ?? call.id, queueMilliseconds: call.queueMilliseconds,
                    totalMilliseconds: call.elapsedMilliseconds)
            }
        }
    }

    func answerPredict(_ request: Request, _ reply: @escaping @Sendable (Response) -> Void) {
        computing(request, reply) { json in
            let question = try PredictRequest(json, limits: configuration.requestLimits)
            return Work(deadlineMilliseconds: configuration.deadlineMilliseconds) { call in
                try engine.predict(question, id: question.id ?? call.id)
            }
        }
    }

    /// What a request asks for, once it is understood.
    private struct Work: Sendable {
        let deadlineMilliseconds: Int
        let body: @Sendable (Call) throws -> JSON
    }

    /// Has a request read by a decoder, queued, and answered with what comes of its work. Decoders are apart from the workers, so that
    /// a bad request costs no worker's time, and a good one's own deadline counts while it waits.
    private func computing(
        _ request: Request, _ reply: @escaping @Sendable (Response) -> Void,
        _ decode: @escaping @Sendable (JSON) throws -> Work
    ) {
        let call = Call(cancellation: request.cancellation)
        let isDecoded = decoders.submit(deadline: call.deadline(after: configuration.deadlineMilliseconds)) { outcome in
            var id: String?
            do {
                guard outcome == .run else { throw Interrupted() }
                let json = try JSON(parsing: request.body)
                id = json["id"]?.stringValue.flatMap { $0.utf8.count <= 128 ? $0 : nil }
                let work = try decode(json)
                if !queue(work, call, request, id: id, reply) { reply(overloaded(request)) }
            } catch {
                reply(response(to: error, request, id: id))
            }
        }
        if !isDecoded { reply(overloaded(request)) }
    }

    private func queue(
        _ work: Work, _ call: Call, _ request: Request, id: String?, _ reply: @escaping @Sendable (Response) -> Void
    ) -> Bool {
        compute.submit(deadline: call.deadline(after: work.deadlineMilliseconds)) { outcome in
            do {
                // A client that went away while it waited is not computed for.
                guard outcome == .run, !request.cancellation.isCancelled else { throw Interrupted() }
                reply(.json(try work.body(call.started()).serialized()))
            } catch {
                reply(response(to: error, request, id: id))
            }
        }
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

    /// The moment `milliseconds` after the request arrived.
    func deadline(after milliseconds: Int) -> DispatchTime { arrival + .milliseconds(milliseconds) }

    /// Raised once the client has gone, or `milliseconds` after the request arrived.
    func interruption(after milliseconds: Int) -> Interruption {
        let deadline = deadline(after: milliseconds)
        return Interruption { [cancellation] in cancellation.isCancelled || DispatchTime.now() > deadline }
    }

    private func milliseconds(to time: DispatchTime) -> Double {
        Double(time.uptimeNanoseconds - arrival.uptimeNanoseconds) / 1e6
    }
}
