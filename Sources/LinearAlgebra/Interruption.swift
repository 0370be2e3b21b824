/// Thrown where a computation was told to stop.
public struct Interrupted: Error, Equatable, Sendable {
    /// Makes the error.
    public init() {}
}

/// Says whether a long computation should stop: its client has gone, or its deadline has passed.
///
/// Numerics ask by the amount of work done since they last asked (`PacedInterruption`), so that they stop within milliseconds.
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

/// An interruption that is asked once for so much work: often enough to stop within milliseconds on a slow core, seldom enough to
/// cost nothing where a step takes less than a microsecond. One thread's own.
public struct PacedInterruption {
    /// Floating-point operations from one question to the next: 1 ms at 4 GFLOP/s.
    public static let interval = 4_000_000

    private let interruption: Interruption
    private var left = Self.interval

    /// Asks `interruption` when enough work is done.
    public init(_ interruption: Interruption) { self.interruption = interruption }

    /// Notes that about so many floating-point operations were done since the last note, and asks if it is time.
    /// - Throws: `Interrupted`.
    @inline(__always)
    public mutating func check(after operations: Int) throws(Interrupted) {
        left -= operations
        guard left <= 0 else { return }
        left = Self.interval
        try interruption.check()
    }
}
