internal import JSON

/// What is solved and by whom, as a request says: (C + λI)s = v.
public struct SystemRequest: Hashable, Sendable {
    /// C + λI.
    public var curvature: CurvatureRequest
    /// The solver.
    public var solver: InfluenceRequest.Solver

    /// Its members in a request.
    static let fields: [SharedMember] = CurvatureRequest.fields + [.solver]

    /// What a request means that says nothing of it.
    static let standard = SystemRequest(nil)

    /// Reads it from a request.
    init(_ object: JSONObjectReader?, solver standard: InfluenceRequest.Solver = .standard) {
        curvature = CurvatureRequest(object)
        solver = object?.optionalObject("solver").map { InfluenceRequest.Solver($0) } ?? standard
    }
}
