/// A value that belongs to a loop's thread, in a box that may be passed about and opened only there.
///
/// `@unchecked Sendable` because the one way to the value, `callAsFunction`, traps on every other thread. The last owner
/// of the box may let go of it anywhere: the value's own deinitialiser must not care on which thread it runs.
public struct LoopBound<Value>: @unchecked Sendable {
    private let value: Value
    private let loop: EventLoop

    /// Binds `value`, which nobody else may use from now on except on the thread of `loop`.
    public init(_ value: Value, to loop: EventLoop) {
        self.value = value
        self.loop = loop
    }

    /// The value.
    ///
    /// - Precondition: This is the loop's thread.
    public func callAsFunction() -> Value {
        loop.preconditionOnLoop()
        return value
    }
}
