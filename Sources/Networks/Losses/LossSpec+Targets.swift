extension LossSpec {
    /// What is wrong with a target, in words that follow its name; nil for one that the loss can take.
    public func flaw(ofTarget target: Double, outputWidth: Int) -> String? {
        switch self {
        case .crossEntropy:
            guard let label = Int(exactly: target), (0..<outputWidth).contains(label) else {
                return "must be a label from 0 to \(outputWidth - 1); got \(Self.text(target))"
            }
        case .binaryCrossEntropy:
            guard (0...1).contains(target) else {
                return "must be 0 or 1, or a probability between them, for binary_cross_entropy; got \(Self.text(target))"
            }
        case .smoothHinge:
            guard abs(target) == 1 else { return "must be -1 or 1 for smooth_hinge; got \(Self.text(target))" }
        case .meanSquaredError:
            guard Float(target).isFinite else { return "must be a number of single precision; got \(Self.text(target))" }
        }
        return nil
    }

    /// A target as users write it: a label without a decimal point.
    static func text(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? String(value) }
}

extension Network {
    /// What is wrong with an example's inputs as token ids, in words that follow their name; nil where nothing is, or they are none.
    public func tokenFlaw(in input: some Collection<Float>) -> String? {
        guard let tokenCount, let bad = input.first(where: { !($0 >= 0 && $0 < Float(tokenCount) && $0 == $0.rounded()) })
        else { return nil }
        let text = Int(exactly: bad).map(String.init) ?? String(bad)
        return "has the token id \(text); ids are whole numbers from 0 to \(tokenCount - 1), as num_embeddings is \(tokenCount)"
    }
}
