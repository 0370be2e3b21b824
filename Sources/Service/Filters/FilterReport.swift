internal import Formats
internal import JSON
internal import LinearAlgebra
internal import Store

/// What speaks against the result of a filter: what the dataset lacks of what was asked about, and, where nothing was found, what there is
/// instead.
struct FilterReport {
    /// What was found wrong.
    let issues = JSONIssueCollector()

    private let dataset: DatasetRecord
    private let store: Store
    private let pointer: JSONPointer
    private let interruption: Interruption
    private var name: String { "dataset '\(dataset.name)'" }

    init(of dataset: DatasetRecord, from store: Store, at pointer: JSONPointer, interruption: Interruption) {
        (self.dataset, self.store, self.pointer, self.interruption) = (dataset, store, pointer, interruption)
    }

    /// Ids name particular examples: one that is nobody's is a slip, whatever else was found.
    func ids(of pass: FilterPass, condition: FilterCondition?) {
        let place = pointer.appending("id")
        if pass.idCount == 0 {
            issues.report(place, "cannot be asked for: the examples of \(name) have no ids")
        } else if !pass.missingIDs.isEmpty {
            let listed = Array(pass.missingIDs).ordered.prefix(5).map { $0.json.text.legible(limit: 60) }.joined(separator: ", ")
            let more = pass.missingIDs.count > 5 ? " and \(pass.missingIDs.count - 5) more" : ""
            issues.report(place, "no example of \(name) has the id\(pass.missingIDs.count == 1 ? "" : "s") \(listed)\(more)")
        } else if pass.idMatches == 0 {
            issues.report(place, "holds of no example of \(name)")
        }
    }

    /// A key that nobody has is a slip even where its absence would meet the condition.
    func metadata(of pass: FilterPass, isEmpty: Bool) throws {
        let conditions = pass.conditions.indices
        let unmet = conditions.filter { isEmpty && pass.present[$0] > 0 && pass.matches[$0] == 0 }
        guard !unmet.isEmpty || pass.present.contains(0) else { return }
        let survey = try MetadataSurvey(of: dataset, from: store, valuesOf: unmet.map { pass.conditions[$0].key.name }) {
            try interruption.check()
        }
        let place = pointer.appending("where")
        guard !survey.isEmpty else {
            issues.report(
                place,
                "cannot be asked for: the examples of \(name) have no metadata; it comes in with them, by import dataset --metadata"
            )
            return
        }
        for index in conditions where pass.present[index] == 0 || unmet.contains(index) {
            let (key, condition) = pass.conditions[index]
            let detail =
                if pass.present[index] == 0 {
                    "is a key that no example of \(name) has; there are \(survey.listedKeys)"
                } else if condition.exists == false {
                    "holds of no example of \(name): all have it"
                } else {
                    "holds of no example of \(name), where its values are \(survey.listedValues(of: key.name))"
                }
            issues.report(place.appending(String(decoding: key.name, as: UTF8.self)), detail)
        }
    }

    /// Whether the target alone is in the way.
    func targets(_ targets: ExampleTargets) throws {
        guard try targets.meeting(among: 0..<UInt32(dataset.rowCount), interruption).isEmpty else { return }
        let listed = try ExampleTargets.listed(of: dataset, from: store, interruption)
        issues.report(pointer.appending("target"), "is that of no example of \(name), where targets are \(listed)")
    }

    /// Where nothing else is in the way, the conditions are in each other's.
    func nothing() {
        guard issues.isEmpty else { return }
        issues.report(pointer, "no example of \(name) meets all conditions, though each of them holds of some")
    }
}
