internal import JSON

/// What is solved and by whom, as a request says: (C + λI)s = v.
public struct SystemRequest: Hashable, Sendable {
    /// C; nil for the model's default.
    public var curvature: InfluenceRequest.Curvature?
    /// Added to C's diagonal, in units of `dampingMode`.
    public var damping: Double
    /// The unit of `damping`.
    public var dampingMode: InfluenceRequest.DampingMode
    /// The solver.
    public var solver: InfluenceRequest.Solver

    /// Its members in a request.
    static let fields: [SharedMember] = [.curvature, .damping, .dampingMode, .solver]

    /// What a request means that says nothing of it.
    static let standard = SystemRequest(nil)

    /// Reads it from a request.
    init(_ object: JSONObjectReader?, solver standard: InfluenceRequest.Solver = .standard) {
        curvature = object?.optionalChoice("curvature", of: InfluenceRequest.Curvature.self)
        damping = object?.number("damping", default: 0, in: 0...1e9) ?? 0
        dampingMode = object?.choice("damping_mode", default: .absolute) ?? .absolute
        solver = object?.optionalObject("solver").map { InfluenceRequest.Solver($0) } ?? standard
    }
}
