import CLinux

/// What the loop found out about a descriptor. Several may hold at once: the last data and the hang-up come as one.
public struct Readiness: OptionSet, Sendable {
    /// The bits as epoll gives them.
    public let rawValue: UInt32

    /// The bits as epoll gives them.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// There is something to read, perhaps the end (EPOLLIN).
    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    /// There is room to write (EPOLLOUT).
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer will write no more; what it wrote may still wait to be read (EPOLLRDHUP).
    public static let peerFinished = Readiness(rawValue: EPOLLRDHUP.rawValue)
    /// Both directions are closed (EPOLLHUP).
    public static let hungUp = Readiness(rawValue: EPOLLHUP.rawValue)
    /// The connection broke (EPOLLERR).
    public static let failed = Readiness(rawValue: EPOLLERR.rawValue)
}

/// What the loop is to watch a descriptor for.
public enum Interest: Sendable {
    /// Tells of anything to read for as long as it is there (level-triggered). For listeners.
    case reading
    /// Tells once of each change in either direction (edge-triggered). For connections: it costs one system call in a
    /// connection's whole life, and hang-ups are seen even while nobody reads. Whoever is told must go on until the
    /// system says that it would block.
    case changes
    /// Tells of nothing but breakage, until changed.
    case nothing

    var events: UInt32 {
        switch self {
        case .reading: EPOLLIN.rawValue
        // EPOLLET, which the importer renders differently from one C library to another; epoll_ctl(2).
        case .changes: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | 1 << 31
        case .nothing: 0
        }
    }
}

/// Somebody whom the loop tells about a descriptor, always on the loop's thread.
public protocol ReadinessHandler: AnyObject {
    /// The descriptor became ready in the ways that `readiness` says.
    func ready(_ readiness: Readiness)
}
