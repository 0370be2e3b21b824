internal import Attribution
internal import LinearAlgebra

/// In which form a cache keeps gradients: all that is chosen about it. A checkpoint has at most one cache of each kind.
public struct GradientCacheKind: Hashable, Sendable {
    /// The forms there are.
    enum Form: String, CaseIterable, Sendable {
        /// The factors that gradients are products of: exact, single precision.
        case factored
        /// The gradients themselves, in θ.
        case dense
        /// Random projections of them.
        case projected
    }

    let form: Form
    let encoding: RowEncoding
    /// Of what is projected.
    let projection: ProjectionChoice?

    /// The factors of gradients.
    public static let factored = GradientCacheKind(.factored, .float32, nil)

    private init(_ form: Form, _ encoding: RowEncoding, _ projection: ProjectionChoice?) {
        (self.form, self.encoding, self.projection) = (form, encoding, projection)
    }

    /// What the cache is called in the store, and in requests.
    public var name: String {
        switch form {
        case .factored: form.rawValue
        case .dense: "\(form.rawValue)-\(encoding.rawValue)"
        case .projected:
            "\(form.rawValue)-\(projection?.kind.rawValue ?? "")-\(projection?.dimension ?? 0)-seed\(projection?.seed ?? 0)-"
                + encoding.rawValue
        }
    }

    /// The kind of a name; nil for one that is none.
    public init?(name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        switch (parts.first.flatMap { Form(rawValue: $0) }, parts.count) {
        case (.factored, 1): self = .factored
        case (.dense, 2):
            guard let encoding = RowEncoding(rawValue: parts[1]) else { return nil }
            self.init(.dense, encoding, nil)
        case (.projected, 5):
            guard let kind = ProjectionChoice.Kind(rawValue: parts[1]), let dimension = Int(parts[2]),
                parts[3].hasPrefix("seed"), let seed = Int(parts[3].dropFirst("seed".count)), seed >= 0,
                let encoding = RowEncoding(rawValue: parts[4]),
                let projection = try? ProjectionChoice(kind, dimension: dimension, seed: UInt64(seed))
            else { return nil }
            self.init(.projected, encoding, projection)
        default: return nil
        }
        // Numbers can be written in more than one way, names can't.
        guard self.name == name else { return nil }
    }
}

extension GradientCacheKind {
    /// Settings that make no kind: which of them, by the name of the command's option, and what is wrong with it.
    public struct Flaw: Error, Equatable, Sendable, CustomStringConvertible {
        /// The option, without its dashes.
        public let option: String
        /// What is wrong and what to change.
        public let detail: String

        /// The flaw as a sentence.
        public var description: String { "--\(option) \(detail)" }
    }

    /// The words for forms, encodings and projections.
    public static let names = (
        forms: Form.allCases.map(\.rawValue), encodings: RowEncoding.allCases.map(\.rawValue),
        projections: ProjectionChoice.Kind.allCases.map(\.rawValue)
    )

    /// The kind that the options of `influenced cache` describe; what is left out is nil.
    /// - Throws: `Flaw` for what is unknown, missing, or has no meaning beside the others.
    public init(
        form: String, encoding: String?, projection: String?, dimension: Int?, seed: Int?
    ) throws(Flaw) {
        let form = try Self.choice("kind", form, of: Form.self)
        let encoding = try encoding.map { name throws(Flaw) in try Self.choice("dtype", name, of: RowEncoding.self) }
        guard form == .projected else {
            let given = [("projection-dim", dimension != nil), ("proj-type", projection != nil), ("proj-seed", seed != nil)]
            if let (option, _) = given.first(where: \.1) {
                throw Flaw(option: option, detail: "goes with --kind projected; leave it out, or choose that")
            }
            if form == .factored, let encoding, encoding != .float32 {
                throw Flaw(
                    option: "dtype",
                    detail:
                        "\(encoding.rawValue): factored gradients are exact, and kept as float32 alone; leave it out, or choose "
                        + "--kind dense or projected")
            }
            self.init(form, encoding ?? .float32, nil)
            return
        }
        guard let dimension else {
            throw Flaw(option: "projection-dim", detail: "is missing; --kind projected needs to know to how many numbers")
        }
        let kind =
            try projection.map { name throws(Flaw) in try Self.choice("proj-type", name, of: ProjectionChoice.Kind.self) }
            ?? .normal
        guard let seed = UInt64(exactly: seed ?? 0) else {
            throw Flaw(option: "proj-seed", detail: "must be at least 0; got \(seed ?? 0)")
        }
        do {
            self.init(.projected, encoding ?? .float32, try ProjectionChoice(kind, dimension: dimension, seed: seed))
        } catch let error {
            throw Flaw(option: "projection-dim", detail: "\(dimension): \(error)")
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ option: String, _ name: String, of: Choice.Type
    ) throws(Flaw) -> Choice {
        if let choice = Choice(rawValue: name) { return choice }
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw Flaw(option: option, detail: "must be one of \(known); got \"\(name)\"")
    }
}
