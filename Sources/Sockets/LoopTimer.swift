/// An action that the loop runs once its moment has come. It can be set again and again, and belongs to the loop's thread.
public final class LoopTimer {
    /// The moment that it was last set to.
    var deadline: ContinuousClock.Instant
    /// Its place in the heap, or -1 while it is not set.
    var position = -1

    let action: () -> Void
    private let loop: EventLoop

    init(loop: EventLoop, action: @escaping () -> Void) {
        self.loop = loop
        self.action = action
        deadline = loop.now
    }

    /// Whether it is set and has not fired since.
    public var isSet: Bool { position >= 0 }

    /// Has the action run once, `delay` from now, in place of any moment set before. O(log n) in the timers of the loop.
    public func set(after delay: Duration) { loop.set(self, to: loop.now + delay) }

    /// Forgets the moment. O(log n).
    public func cancel() { loop.cancel(self) }
}
