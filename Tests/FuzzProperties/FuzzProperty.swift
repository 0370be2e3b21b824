/// Something that holds for every input there is, so that a machine can look for one for which it does not.
///
/// A property says more than that its subject does not trap: what is accepted is consistent and within its limits, what is
/// refused is refused by an error that a person can read, and what can be written reads back as the same.
public struct FuzzProperty: Sendable, CustomStringConvertible {
    /// What it is called, here and in the folders of `Fuzz/`.
    public let name: String
    private let body: @Sendable ([UInt8]) throws(Violation) -> Void

    /// A property, whose `check` throws for an input for which it does not hold.
    public init(_ name: String, check: @escaping @Sendable (_ input: [UInt8]) throws(Violation) -> Void) {
        self.name = name
        self.body = check
    }

    /// Looks whether the property holds for `input`. What it looks at depends on the input alone, never on chance.
    /// - Throws: What does not hold.
    public func check(_ input: [UInt8]) throws(Violation) { try body(input) }

    /// The name.
    public var description: String { name }

    /// The properties of what reads bytes without knowing what they are for.
    public static let all = [request, chunks, percent, json, safetensors, npy, npz, csv, idx, flat, gzip]
}

/// A property that does not hold: what was found instead.
public struct Violation: Error, CustomStringConvertible {
    /// What was found.
    public let description: String

    /// A violation, told by what was found.
    public init(_ description: String) { self.description = description }
}

/// Throws what `finding` says unless `condition` holds.
public func require(_ condition: Bool, _ finding: @autoclosure () -> String) throws(Violation) {
    guard condition else { throw Violation(finding()) }
}
