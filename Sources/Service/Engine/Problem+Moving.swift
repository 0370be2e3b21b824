internal import JSON

extension Problem {
    /// The same about another member of the request, or what lies in it: for what is asked on behalf of that.
    func moved(from old: String, to new: String) -> Problem {
        func isMoved(_ issue: JSONIssue) -> Bool { issue.pointer == old || issue.pointer.hasPrefix(old + "/") }
        guard errors.contains(where: isMoved) else { return self }
        let moved = errors.map {
            isMoved($0) ? JSONIssue(pointer: new + $0.pointer.dropFirst(old.count), detail: $0.detail) : $0
        }
        let detail = zip(errors, moved).reduce(detail) { $1.0.description == $0 ? $1.1.description : $0 }
        return Problem(status, kind, detail, errors: moved, fields: fields)
    }
}
