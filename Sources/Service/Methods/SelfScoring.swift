internal import JSON
internal import LinearAlgebra

/// A method that says how much each training example moves itself: how much of what the model says of it rests on that example alone.
///
/// Beside how it scores for tests this is all that `POST /self-influence`, its decoder and its description know of a method. The largest
/// scores, quantiles and what is said of examples are shared.
protocol SelfScoring: MethodChoice {
    /// What it is here, for the interface's document.
    static var summaryOfSelf: String { get }
    /// Which of the shared members have a meaning for it here.
    static var usesForSelf: Set<SharedMember> { get }
    /// What answers say of it beside its name: always, and where it applies.
    static var diagnosticsOfSelf: (always: Schema.Members, sometimes: Schema.Members) { get }

    /// The scores of all training examples of a model at a checkpoint.
    /// - Throws: `Problem` where there are none, saying what would work; `StoreError`, `SolverError`, `Interrupted`.
    func selfInfluence(
        for request: SelfInfluenceRequest, of model: LoadedModel, in engine: Engine, interruption: Interruption
    ) throws -> SelfInfluence
}

extension SelfScoring {
    static var usesForSelf: Set<SharedMember> { uses.subtracting([.measurement, .until]) }
    static var diagnosticsOfSelf: (always: Schema.Members, sometimes: Schema.Members) { diagnostics }
}

/// How much each of a model's training examples moves itself, by one method.
struct SelfInfluence: Sendable {
    /// One for each example.
    let scores: [Double]
    /// What a large one means.
    let orientation: String
    /// Whether scores are n times what an example's own loss is predicted to change by if it is removed.
    let predictsOwnChange: Bool
    /// What the method says of itself.
    let diagnostics: JSONObject
    /// What it says of an example that is listed, beside its score.
    let details: @Sendable (Int) -> JSONObject

    init(
        _ scores: [Double], orientation: String, predictsOwnChange: Bool = false, diagnostics: JSONObject,
        details: @escaping @Sendable (Int) -> JSONObject = { _ in [:] }
    ) {
        (self.scores, self.orientation, self.predictsOwnChange) = (scores, orientation, predictsOwnChange)
        (self.diagnostics, self.details) = (diagnostics, details)
    }
}

extension InfluenceRequest.Method {
    /// The methods that know self-influence.
    static let selfScoring: [any SelfScoring.Type] = kinds.compactMap { $0 as? any SelfScoring.Type }

    /// Members of requests about self-influence that not all methods take: those that several share, and each method's own.
    static let fieldsForSelf =
        SharedMember.allCases.filter { member in selfScoring.contains { $0.usesForSelf.contains(member) } }.map(\.rawValue)
        + ownFieldsForSelf

    /// Members that are one method's own.
    private static let ownFieldsForSelf = Schema.Members.union(of: selfScoring.map { $0.fields }).list.map(\.name)

    /// Reads the method that a request about self-influence names, influence where it names none, and reports members that mean nothing
    /// to it.
    static func readForSelf(_ object: JSONObjectReader) -> Self {
        let names = selfScoring.map { $0.name }
        if let name = object.members["method"]?.stringValue, kinds.contains(where: { $0.name == name }), !names.contains(name) {
            object.report("method", onlySelfScoring(not: name))
            return .standard
        }
        let name = object.choice("method", of: names, default: InfluenceMethod.name)
        let kind = selfScoring.first { $0.name == name } ?? InfluenceMethod.self
        for member in SharedMember.allCases where object.has(member.rawValue) && !kind.usesForSelf.contains(member) {
            guard fieldsForSelf.contains(member.rawValue) else { continue }
            let reason = member == .gradients ? "takes exact gradients" : member.absence
            object.report(
                member.rawValue,
                "has no meaning here: \(kind.name) \(reason). " + remedyForSelf { $0.usesForSelf.contains(member) })
        }
        for field in ownFieldsForSelf where object.has(field) && !kind.fields.has(field) {
            object.report(field, "has no meaning for \(kind.name). " + remedyForSelf { $0.fields.has(field) })
        }
        return Self(kind.init(object))
    }

    /// Why a method is refused.
    static func onlySelfScoring(not name: String) -> String {
        let names = selfScoring.map { $0.name }.joined(separator: ", ")
        return "must be a method that knows self-influence: \(names); \(name) is for tests alone"
    }

    private static func remedyForSelf(_ isMeant: (any SelfScoring.Type) -> Bool) -> String {
        "Leave it out, or set method to \(selfScoring.filter(isMeant).map { $0.name }.joined(separator: " or "))"
    }

    /// The same as a method that knows self-influence.
    var selfScoring: (any SelfScoring)? { choice as? any SelfScoring }
}
