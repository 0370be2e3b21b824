internal import JSON

/// C + λI as a request says it.
public struct CurvatureRequest: Hashable, Sendable {
    /// C; nil for the model's default.
    public var kind: InfluenceRequest.Curvature?
    /// Added to C's diagonal beside weight decay, in units of `dampingMode`.
    public var damping = 0.0
    /// The unit of `damping`.
    public var dampingMode = InfluenceRequest.DampingMode.absolute

    /// Its members in a request.
    static let fields: [SharedMember] = [.curvature, .damping, .dampingMode]

    /// What a request means that says nothing of it.
    public init() {}

    /// Reads it from a request.
    init(_ object: JSONObjectReader?) {
        kind = object?.optionalChoice("curvature", of: InfluenceRequest.Curvature.self)
        damping = object?.number("damping", default: 0, in: 0...1e9) ?? 0
        dampingMode = object?.choice("damping_mode", default: .absolute) ?? .absolute
    }
}
