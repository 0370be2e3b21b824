import Glibc

/// The limit of the process on open descriptors. Each connection takes one, and the usual soft limit is 1,024.
public enum OpenFileLimit {
    /// The number of descriptors that the process may hold at present.
    public static func current() throws(SocketError) -> UInt64 {
        try read().soft
    }

    /// Raises the soft limit to the hard limit, which needs no privilege, and returns what it is then.
    ///
    /// The limit is the whole process's, so the program decides to call this, not a part of it.
    @discardableResult
    public static func raise() throws(SocketError) -> UInt64 {
        let (soft, hard) = try read()
        if soft >= hard { return soft }
        var limit = rlimit(rlim_cur: rlim_t(hard), rlim_max: rlim_t(hard))
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw .current(.resourceLimit, "open files, \(soft) to \(hard)")
        }
        return hard
    }

    private static func read() throws(SocketError) -> (soft: UInt64, hard: UInt64) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw .current(.resourceLimit, "open files")
        }
        return (UInt64(limit.rlim_cur), UInt64(limit.rlim_max))
    }
}
