/// Thrown where a computation was told to stop.
public struct Interrupted: Error, Equatable, Sendable {
    /// Makes the error.
    public init() {}
}

/// Says whether a long computation should stop: its client has gone, or its deadline has passed.
///
/// Numerics ask at every step of a recursion and every block of a scan, so that they stop within milliseconds.
public struct Interruption: Sendable {
    private let raised: @Sendable () -> Bool

    /// Asks `raised`, which must be cheap and callable from any thread.
    public init(_ raised: @escaping @Sendable () -> Bool) { self.raised = raised }

    /// Never interrupts.
    public static let never = Interruption { false }

    /// Whether to stop.
    public var isRaised: Bool { raised() }

    /// Throws `Interrupted` where the computation should stop.
    public func check() throws(Interrupted) { if raised() { throw Interrupted() } }
}
