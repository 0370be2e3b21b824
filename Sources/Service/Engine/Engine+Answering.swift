internal import Dispatch
internal import Foundation
public import JSON
internal import LinearAlgebra

extension Engine {
    /// Answers the text of a request as `POST /influence` does, without a server.
    /// - Throws: `Problem`, saying what is wrong with the request where; `StoreError`.
    public func answer(_ request: [UInt8], limits: RequestLimits, defaultDeadlineMilliseconds: Int) throws -> JSON {
        let start = DispatchTime.now()
        do {
            let question = try InfluenceRequest(JSON(parsing: request), limits: limits)
            let deadline = start + .milliseconds(question.deadlineMilliseconds ?? defaultDeadlineMilliseconds)
            let answer = try influence(question, interruption: Interruption { DispatchTime.now() > deadline })
            return answer.json(
                id: question.id ?? UUID().uuidString.lowercased(), queueMilliseconds: 0,
                totalMilliseconds: Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e6)
        } catch {
            throw Problem(describing: error).map { $0 as any Error } ?? error
        }
    }
}
