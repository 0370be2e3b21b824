import CLinux
import Glibc

/// A descriptor's place in the loop. It is let go of by `EventLoop.unregister(_:_:)`.
public struct Registration: Sendable {
    let token: UInt64
}

/// What is allowed on the loop's own thread only; every call checks that.
extension EventLoop {
    /// The moment at which the present turn began, on a clock that never goes back.
    public var now: ContinuousClock.Instant {
        preconditionOnLoop()
        return confined.now
    }

    /// Has `handler` told about `descriptor`, and keeps it alive, until ``unregister(_:_:)``.
    ///
    /// - Throws: `SocketError` when the system takes no more registrations.
    public func register(
        _ descriptor: borrowing FileDescriptor, for interest: Interest, handler: any ReadinessHandler
    ) throws(SocketError) -> Registration {
        preconditionOnLoop()
        let token = confined.handlers.insert(handler)
        var event = epoll_event(events: interest.events, data: epoll_data(u64: token))
        guard epoll_ctl(epoll.number, EPOLL_CTL_ADD, descriptor.number, &event) == 0 else {
            let error = SocketError.current(.epoll, "add descriptor \(descriptor.number)")
            confined.handlers.remove(token)
            throw error
        }
        return Registration(token: token)
    }

    /// Changes what is watched for.
    public func modify(
        _ registration: Registration, of descriptor: borrowing FileDescriptor, to interest: Interest
    ) throws(SocketError) {
        preconditionOnLoop()
        var event = epoll_event(events: interest.events, data: epoll_data(u64: registration.token))
        guard epoll_ctl(epoll.number, EPOLL_CTL_MOD, descriptor.number, &event) == 0 else {
            throw .current(.epoll, "modify descriptor \(descriptor.number)")
        }
    }

    /// Ends the registration. Events that are on their way find nobody. To be called while the descriptor is open.
    public func unregister(_ registration: Registration, of descriptor: borrowing FileDescriptor) {
        preconditionOnLoop()
        confined.handlers.remove(registration.token)
        var event = epoll_event()
        _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor.number, &event)
    }

    /// A timer that is not set yet.
    public func makeTimer(_ action: @escaping () -> Void) -> LoopTimer {
        preconditionOnLoop()
        return LoopTimer(loop: self, action: action)
    }

    /// Runs `body` in the next turn, after the events that are waiting already: for work that was cut short to let
    /// others have theirs.
    public func inNextTurn(_ body: @escaping () -> Void) {
        preconditionOnLoop()
        confined.turns.append(body)
    }

    func set(_ timer: LoopTimer, to deadline: ContinuousClock.Instant) {
        preconditionOnLoop()
        confined.timers.set(timer, to: deadline)
    }

    func cancel(_ timer: LoopTimer) {
        preconditionOnLoop()
        confined.timers.remove(timer)
    }
}
