internal import HTTPTypes

/// What may be taken into memory: a part of `compute.memory_bytes`.
struct MemoryBudget: Sendable {
    /// The parts there are.
    enum Part: Int, Sendable {
        /// For datasets.
        case half = 2
        /// For anything else.
        case quarter = 4
        /// For what one of several methods holds.
        case eighth = 8
    }

    /// `compute.memory_bytes`.
    let bytes: Int

    /// Refuses what is larger than its part.
    /// - Parameters:
    ///   - needed: bytes; nil for more than can be counted.
    ///   - subject: what takes them, in words that a sentence begins with.
    ///   - pointer: what in the request needs them, if anything does.
    /// - Throws: 422 saying what to set.
    func require(_ needed: Int?, of part: Part, for subject: String, at pointer: String? = nil) throws(Problem) {
        let limit = bytes / part.rawValue
        guard let needed else {
            throw Problem(.unprocessableContent, "too-large", "\(subject) would take more bytes than can be counted")
        }
        guard needed > limit else { return }
        let detail =
            "\(subject) would take \(needed) bytes, and \(limit) are allowed, a \(part) of compute.memory_bytes; raise it to at "
            + "least \(part.rawValue) × \(needed)"
        throw pointer.map { Problem(at: $0, detail) } ?? Problem(.unprocessableContent, "too-large", detail)
    }
}

extension Int {
    /// A product of sizes in bytes of single precision; nil where it can't be counted.
    static func floatBytes(_ factors: Int...) -> Int? {
        factors.reduce(MemoryLayout<Float>.stride) { product, factor in
            product.flatMap {
                let (value, overflow) = $0.multipliedReportingOverflow(by: factor)
                return overflow ? nil : value
            }
        }
    }
}
