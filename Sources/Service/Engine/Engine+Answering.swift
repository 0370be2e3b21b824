internal import Dispatch
internal import Foundation
public import JSON
internal import LinearAlgebra

extension Engine {
    /// Answers questions, each with its own outcome: those on influence together, the others one by one.
    func answer(_ questions: [(Question, Interruption)]) -> [Result<Answer, any Error>] {
        let influences = questions.compactMap { question, interruption -> Asked<InfluenceRequest>? in
            guard case .influence(let request) = question.content else { return nil }
            return Asked(request: request, interruption: interruption, deadline: question.deadline)
        }
        var answers = attributions(influences)[...]
        return questions.map { question, interruption in
            switch question.content {
            case .influence: answers.removeFirst().map { .influence($0) }
            case .parameters(let request): Result { .parameters(try parameters(request, interruption: interruption)) }
            case .selfInfluence(let request):
                Result { .selfInfluence(try selfInfluence(request, interruption: interruption)) }
            case .slices(let request): Result { .slices(try slices(request, interruption: interruption)) }
            case .predict(let request): Result { .predict(try predict(request, interruption: interruption)) }
            case .spectrum(let request): Result { .spectrum(try spectrum(request, interruption: interruption)) }
            }
        }
    }

    /// Answers the text of a request as a route does, without a server.
    /// - Throws: `Problem`, saying what is wrong with the request where; `StoreError`.
    public func answer(
        _ request: [UInt8], to route: QueryRoute = .influence, limits: RequestLimits, defaultDeadlineMilliseconds: Int
    ) throws -> JSON {
        let start = DispatchTime.now()
        do {
            let json = try JSON(parsing: request)
            let (question, deadlineMilliseconds) = try route.question(
                json, limits: limits, deadlineMilliseconds: defaultDeadlineMilliseconds)
            let deadline = start + .milliseconds(deadlineMilliseconds ?? defaultDeadlineMilliseconds)
            return try answer([(question, Interruption { DispatchTime.now() > deadline })])[0].get().json(
                id: json.requestID ?? RequestIdentifier().description, queueMilliseconds: 0,
                totalMilliseconds: start.milliseconds(to: .now()))
        } catch {
            throw Problem(describing: error).map { $0 as any Error } ?? error
        }
    }
}
