internal import JSON
internal import LinearAlgebra

/// A solver as a request asks for it: what may be set, and what becomes of that for one system.
///
/// Each has a file of its own, which is all that the request's decoder, the engine and the interface's document know of it.
protocol SolverChoice: Hashable, Sendable {
    /// What requests and answers call it.
    static var name: String { get }
    /// What it is, for the interface's document.
    static var summary: String { get }
    /// What may be set of it beside its name.
    static var fields: Schema.Members { get }
    /// What answers say of it beside its name: always, and where it applies; nil where answers never name it.
    static var diagnostics: (always: Schema.Members, sometimes: Schema.Members)? { get }
    /// Whether it takes training examples one by one and at random, so that what belongs to them must be in memory.
    static var needsRandomAccess: Bool { get }
    /// Whether it solves with what falls along some direction without noticing: the curvature is looked at first then.
    static var needsDefiniteness: Bool { get }
    /// Whether it solves for all training examples too, in little more time than it takes to prepare.
    static var servesAllExamples: Bool { get }

    /// Reads what is set, reporting what is wrong; the members' names are checked already.
    init(_ object: JSONObjectReader)

    /// The solver with all that is automatic filled in.
    /// - Throws: `Problem` where it can't solve such a system; `SolverError`, `StoreError`, `Interrupted`.
    func settled(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws -> any SettledSolver
}

extension SolverChoice {
    static var fields: Schema.Members { [:] }
    static var diagnostics: (always: Schema.Members, sometimes: Schema.Members)? { ([:], [:]) }
    static var needsRandomAccess: Bool { false }
    static var needsDefiniteness: Bool { false }
    static var servesAllExamples: Bool { false }

    /// Makes what serves many requests.
    /// - Throws: as `settled`.
    func prepare(for system: InfluenceSystem, in engine: Engine, interruption: Interruption) throws {
        _ = try settled(for: system, in: engine, interruption: interruption)
            .solver(for: system, in: engine, interruption: interruption)
    }

    /// What the interface's document calls it.
    static var schemaName: String { name.prefix(1).uppercased() + name.dropFirst() }

    fileprivate func isEqual(to other: any SolverChoice) -> Bool { (other as? Self) == self }
}

extension InfluenceRequest {
    /// Who solves for s_test.
    public struct Solver: Hashable, Sendable {
        /// The solvers there are, as answers to `/info` list them.
        static let kinds: [any SolverChoice.Type] = [
            LiSSAChoice.self, ConjugateGradientChoice.self, ExactChoice.self, ArnoldiChoice.self, EKFACChoice.self,
            DataInfChoice.self, SketchChoice.self, SampledChoice.self, IdentityChoice.self, AutomaticChoice.self,
        ]

        let choice: any SolverChoice

        init(_ choice: any SolverChoice) { self.choice = choice }

        /// Reads a solver and what may be set of it; LiSSA where no name is given.
        init(_ object: JSONObjectReader) {
            let name = object.choice("name", of: Self.kinds.map { $0.name }, default: LiSSAChoice.name)
            let kind = Self.kinds.first { $0.name == name } ?? LiSSAChoice.self
            _ = object.optionalFields(["name"] + kind.fields.list.map(\.name))
            choice = kind.init(object)
        }

        /// The standard one.
        static let standard = Solver(LiSSAChoice())

        /// What requests call it.
        var name: String { type(of: choice).name }

        /// Whether nothing of it is set by hand but its name.
        var isStandard: Bool { JSONReader(["name": .string(name)]).object().map { Self($0) == self } ?? false }

        /// Whether two are the same with the same settings.
        public static func == (a: Solver, b: Solver) -> Bool { a.choice.isEqual(to: b.choice) }

        /// Feeds the settings.
        public func hash(into hasher: inout Hasher) { choice.hash(into: &hasher) }
    }

    /// The solvers' names.
    public static var solvers: [String] { Solver.kinds.map { $0.name } }
}
