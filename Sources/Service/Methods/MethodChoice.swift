internal import Attribution
internal import JSON
internal import LinearAlgebra

/// A method as a request asks for it: what may be set, and how it scores training examples.
///
/// Each has a file of its own, which is all that the request's decoder, the engine and the interface's document know of it. Gradients,
/// solvers, the scan over training examples, rankings and groups are shared: a method says what its scores are made of (`Scoring`).
protocol MethodChoice: Hashable, Sendable {
    /// What requests and answers call it.
    static var name: String { get }
    /// What it is, for the interface's document.
    static var summary: String { get }
    /// Members of a request that are its own.
    static var fields: Schema.Members { get }
    /// Which of the members that several methods share have a meaning for it.
    static var uses: Set<SharedMember> { get }
    /// Whether scores, without multipliers, are n times what the test's loss, or what else is measured, is predicted to change by if an
    /// example is removed.
    static var predictsChange: Bool { get }
    /// What answers say of it, beside what the solver says: always, and where it applies.
    static var diagnostics: (always: Schema.Members, sometimes: Schema.Members) { get }
    /// What it says of listed examples beside their scores, where it says something.
    static var details: Schema.Members { get }

    /// The names in its members, as they were written: of checkpoints, models, layers.
    var names: [String] { get }

    /// Reads its own members from a request, reporting what is wrong.
    init(_ object: JSONObjectReader)

    /// How it scores for a request's subjects.
    /// - Throws: `Problem` where it can't, saying what would work; `StoreError`, `SolverError`, `Interrupted`.
    func scoring(of subjects: MethodSubjects, in engine: Engine, interruption: Interruption) throws -> Scoring
}

extension MethodChoice {
    static var fields: Schema.Members { [:] }
    static var diagnostics: (always: Schema.Members, sometimes: Schema.Members) { ([:], [:]) }
    static var predictsChange: Bool { false }
    static var details: Schema.Members { [:] }
    var names: [String] { [] }

    /// What the interface's document calls it.
    static var schemaName: String { name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() }

    fileprivate func isEqual(to other: any MethodChoice) -> Bool { (other as? Self) == self }
}

/// A member of requests that means something to several methods, and nothing to others.
enum SharedMember: String, CaseIterable {
    case measurement, curvature, damping
    case dampingMode = "damping_mode"
    case solver, until, gradients

    /// What a method does not have that makes no use of it.
    var absence: String {
        switch self {
        case .curvature, .damping, .dampingMode: "knows no curvature"
        case .solver, .until: "solves nothing"
        case .measurement: "measures nothing"
        case .gradients: "takes no gradients from caches"
        }
    }
}

extension Set<SharedMember> {
    /// What solving for s_test takes.
    static let solving: Self = [
        .measurement, .curvature, .damping, .dampingMode, .solver, .until, .gradients,
    ]
}

extension InfluenceRequest {
    /// How training examples are scored.
    public struct Method: Hashable, Sendable {
        /// The methods there are, as answers to `/info` list them.
        static let kinds: [any MethodChoice.Type] = [
            InfluenceMethod.self, RelatIFMethod.self, TracInMethod.self, RepresenterMethod.self, GradientDotMethod.self,
            GradientCosineMethod.self, NearestNeighborMethod.self, TRAKMethod.self,
        ]

        /// Members of requests that are one method's own.
        static let fields = Schema.Members.union(of: kinds.map { $0.fields }).list.map(\.name)

        let choice: any MethodChoice

        init(_ choice: any MethodChoice) { self.choice = choice }

        /// Reads the method that a request names, influence where it names none, or those that are to be compared, and reports members
        /// that mean nothing to any of them.
        static func read(_ object: JSONObjectReader) -> (method: Method, compared: [Method]) {
            let names = kinds.map { $0.name }
            guard let compared = object.optionalArray("compare", count: 2...names.count) else {
                let method = Method(object.choice("method", of: names, default: InfluenceMethod.name), object)
                check(object, for: [method])
                return (method, [])
            }
            if object.has("method") { object.report("method", "has no meaning beside compare, which names the methods") }
            let methods = compared.compactMap { $0.choice(of: names) }.map { Method($0, object) }
            if Set(methods.map(\.name)).count < methods.count { object.report("compare", "names a method twice") }
            check(object, for: methods)
            return (methods.first ?? .standard, methods)
        }

        private init(_ name: String, _ object: JSONObjectReader) {
            choice = (Self.kinds.first { $0.name == name } ?? InfluenceMethod.self).init(object)
        }

        private static func check(_ object: JSONObjectReader, for methods: [Method]) {
            let chosen = methods.map { type(of: $0.choice) }
            let names = methods.map(\.name).joined(separator: ", ")
            for member in SharedMember.allCases
            where object.has(member.rawValue) && !chosen.contains(where: { $0.uses.contains(member) }) {
                object.report(
                    member.rawValue, "has no meaning here: \(names) \(member.absence). " + remedy { $0.uses.contains(member) })
            }
            if object.members["include"]?.arrayValue?.contains("s_test") == true,
                !chosen.contains(where: { $0.uses.contains(.solver) })
            {
                object.report(
                    "include",
                    "has no s_test to show: \(names) \(SharedMember.solver.absence). " + remedy { $0.uses.contains(.solver) })
            }
            for field in fields where object.has(field) && !chosen.contains(where: { $0.fields.has(field) }) {
                object.report(field, "has no meaning for \(names). " + remedy { $0.fields.has(field) })
            }
        }

        /// What a request can do that has a member which means nothing to its method.
        static func remedy(_ isMeant: (any MethodChoice.Type) -> Bool) -> String {
            let names = kinds.filter(isMeant).map { $0.name }
            return "Leave it out, or set method to \(names.joined(separator: " or "))"
        }

        /// The standard one.
        static let standard = Method(InfluenceMethod())

        /// What requests call it.
        var name: String { type(of: choice).name }

        /// Whether nothing of it is set by hand but its name.
        var isStandard: Bool { JSONReader([:]).object().map { Self(name, $0) == self } ?? false }

        /// Whether two are the same with the same settings.
        public static func == (a: Method, b: Method) -> Bool { a.choice.isEqual(to: b.choice) }

        /// Feeds the settings.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(name)
            choice.hash(into: &hasher)
        }
    }

    /// The methods' names.
    public static var methods: [String] { Method.kinds.map { $0.name } }
}
