internal import Attribution
internal import InverseCurvature
internal import LinearAlgebra
internal import Networks

/// Readings of all training examples that serve many subjects at a time, of one request or of several: each source of gradients is read
/// once for all that are scored along it.
struct ScanSchedule {
    /// One subject, and what it is scored by.
    struct Part {
        let plan: InfluencePlan
        /// The plan's place, and the subject's in it.
        let index: Int
        let subject: Int
        let solution: Solution?
        fileprivate let formula: ScoreFormula

        init(_ plan: InfluencePlan, index: Int, subject: Int, solution: Solution?) {
            (self.plan, self.index, self.subject, self.solution) = (plan, index, subject, solution)
            formula = plan.scoring.formula(of: subject, solution)
        }

        /// The curvature in which the solution's residual is measured on the way, where it is not known.
        fileprivate var curvature: CurvatureKey? {
            solution.flatMap { $0.isMeasured ? nil : plan.scoring.solving?.system.key.curvature }
        }

        fileprivate var source: String { plan.scoring.terms[0].source.name }
    }

    /// What the readings have given for a part.
    struct Scanned {
        var scores: [Float] = []
        /// How its strongest examples score along the solution's repeats, where that was cheaper on the way.
        var ends: RankedEnds?
        /// C's data part times the solution, where its residual is not known.
        var image: [Float]?
    }

    /// A source that is read for some parts at a time.
    private struct Reading {
        let source: ChosenGradients.Source
        let rows: any ScoredExamples
        let curvature: CurvatureKey?
        /// Whether directions are gradients whose factors are known.
        let isFactored: Bool
        /// Places of parts, and of the source among their terms.
        var users: [(part: Int, term: Int)]
    }

    private let engine: Engine
    private var parts: [Part] = []

    init(engine: Engine) { self.engine = engine }

    mutating func add(_ part: Part) { parts.append(part) }

    /// Scores all parts, and shows `body` each with what came of it. As many at a time as the memory for scores allows.
    func run(interruption: Interruption, _ body: (Part, Result<Scanned, any Error>) -> Void) {
        // Those of one source side by side, so that few windows read it.
        let parts = parts.enumerated().sorted { ($0.element.source, $0.offset) < ($1.element.source, $1.offset) }.map(\.element)
        var start = 0
        while start < parts.count {
            let width = width(from: start, of: parts)
            let window = Array(parts[start..<start + width])
            for (part, outcome) in zip(window, scan(window, interruption)) { body(part, outcome) }
            start += width
        }
    }

    /// How many parts, from one on, go together: no more than 64, nor more than a sixteenth of the memory holds scores of.
    private func width(from start: Int, of parts: [Part]) -> Int {
        let (plan, source) = (parts[start].plan, parts[start].source)
        let bytes = max(1, plan.model.gradients.count * MemoryLayout<Float>.stride)
        // What one reading gives each part, and what it is added to.
        let held = 1 + plan.scoring.terms.count { $0.source.name == source }
        return max(1, min(64, parts.count - start, engine.memoryBytes / 16 / bytes / held))
    }

    private func scan(_ parts: [Part], _ interruption: Interruption) -> [Result<Scanned, any Error>] {
        var outcomes = parts.map { _ in Result<Scanned, any Error>.success(Scanned()) }
        for reading in readings(of: parts) {
            let users = reading.users
            let scan = Result { try read(reading, for: parts, interruption) }
            for (direction, user) in users.enumerated() {
                let formula = parts[user.part].formula
                outcomes[user.part] = Result {
                    var scanned = try outcomes[user.part].get()
                    let scan = try scan.get()
                    scanned.scores = formula.adding(scan.scores[direction], of: user.term, to: scanned.scores)
                    scanned.ends = formula.isDirection ? scan.ends?[direction] : nil
                    scanned.image = scan.images.map { images in
                        let length = reading.rows.dimension
                        return Array(images[direction * length..<(direction + 1) * length])
                    }
                    return scanned
                }
            }
        }
        return outcomes
    }

    private func read(_ reading: Reading, for parts: [Part], _ interruption: Interruption) throws -> Scan {
        let directions = reading.users.map { parts[$0.part].formula.terms[$0.term].direction }
        guard !reading.isFactored else {
            let scores = try reading.rows.scores(
                of: .all, likeEach: directions, parallel: engine.parallel, interruption: interruption)
            return Scan(scores: scores, ends: nil, images: nil)
        }
        let curvature = reading.curvature.flatMap { _ in
            parts[reading.users[0].part].plan.scoring.solving?.system.damped.data
        }
        return try reading.rows.scan(
            along: directions.flatMap(\.vectors), ends: reading.users.map { ends(of: parts[$0.part]) }, imaging: curvature,
            parallel: engine.parallel, interruption: interruption)
    }

    /// What is to be read for some parts, in the order in which each adds up its terms.
    private func readings(of parts: [Part]) -> [Reading] {
        var readings: [Reading] = []
        for (place, part) in parts.enumerated() {
            for (index, term) in part.plan.scoring.terms.enumerated() {
                let isFactored = part.formula.terms[index].direction.factors != nil
                let known = readings.firstIndex {
                    $0.source == term.source && $0.curvature == part.curvature && $0.isFactored == isFactored
                }
                if let known {
                    readings[known].users.append((place, index))
                } else {
                    readings.append(
                        Reading(
                            source: term.source, rows: term.rows, curvature: part.curvature, isFactored: isFactored,
                            users: [(place, index)]))
                }
            }
        }
        return readings.sorted { $0.source.name < $1.source.name }
    }

    /// What a reading finds out about the strongest examples on its way: nothing where scores are more than products with one direction.
    private func ends(of part: Part) -> WantedEnds {
        WantedEnds(
            count: part.plan.request.k + 1,
            directions: part.formula.isDirection ? part.formula.repeats.flatMap { $0 } : [])
    }
}
