internal import Attribution
internal import InverseCurvature
internal import JSON
internal import Networks

/// What a method's scores are made of, for each subject: scoreᵢ = mᵢ · Σ_t v_t · gᵢ^t (see `ScoreFormula`).
struct Scoring: Sendable {
    /// One source of gradients, and every subject's direction in it.
    struct Term: Sendable {
        /// Equal sources are read together.
        let source: ChosenGradients.Source
        let rows: any ScoredExamples
        let directions: Directions
        /// What answers call it that show what each term adds.
        let label: String

        init(_ source: ChosenGradients.Source, _ rows: any ScoredExamples, _ directions: Directions, label: String = "") {
            (self.source, self.rows, self.directions, self.label) = (source, rows, directions, label)
        }

        init(_ gradients: ChosenGradients, _ directions: Directions, label: String = "") {
            self.init(gradients.source, gradients.gradients, directions, label: label)
        }

        fileprivate func only(_ subject: Int) -> Term { Term(source, rows, directions.only(subject), label: label) }
    }

    /// What gradients are multiplied with.
    enum Directions: Sendable {
        /// The solution of each subject's system.
        case solved
        /// These, one for each subject.
        case given([ExampleGradients])

        fileprivate func only(_ subject: Int) -> Directions {
            switch self {
            case .solved: .solved
            case .given(let directions): .given([directions[subject]])
            }
        }
    }

    /// In the order of their sources, in which all requests read them: a sum has the same bits whatever order they were named in.
    private(set) var terms: [Term]
    /// mᵢ; nil for 1.
    let multipliers: [Float]?
    /// What is solved first; nil where nothing is.
    private(set) var solving: Solving?
    /// What the sign of a score means.
    let orientation: Orientation
    /// Whether answers show what each term adds to the scores of listed examples.
    let isBrokenDown: Bool
    /// What the method says of itself in answers.
    let diagnostics: JSONObject
    /// What it says of an example that is listed for a subject, beside its score.
    private(set) var details: @Sendable (_ subject: Int, _ example: Int) -> JSONObject

    /// The terms' labels in the order in which the method gave them.
    let labels: [String]

    init(
        _ terms: [Term], multipliers: [Float]? = nil, solving: Solving? = nil, orientation: Orientation,
        isBrokenDown: Bool = false,
        diagnostics: JSONObject = [:],
        details: @escaping @Sendable (_ subject: Int, _ example: Int) -> JSONObject = { _, _ in [:] }
    ) {
        labels = terms.map(\.label)
        // Two of one source by their labels.
        self.terms = terms.sorted { ($0.source.name, $0.label) < ($1.source.name, $1.label) }
        self.multipliers = multipliers
        self.solving = solving
        self.orientation = orientation
        self.isBrokenDown = isBrokenDown
        self.diagnostics = diagnostics
        self.details = details
    }

    /// The same for one of the subjects.
    func only(_ subject: Int) -> Scoring {
        var scoring = self
        scoring.terms = terms.map { $0.only(subject) }
        scoring.solving = solving?.only(subject)
        scoring.details = { [details] _, example in details(subject, example) }
        return scoring
    }

    /// How one subject scores.
    /// - Parameter solution: of its system, where there is one.
    func formula(of subject: Int, _ solution: Solution?) -> ScoreFormula {
        ScoreFormula(
            terms.map { term in
                switch term.directions {
                case .solved: ScoreFormula.Term(term.rows, along: solution?.vectors ?? [])
                case .given(let directions): ScoreFormula.Term(term.rows, along: directions[subject])
                }
            }, repeats: solution?.repeats ?? [], multipliers: multipliers)
    }
}
