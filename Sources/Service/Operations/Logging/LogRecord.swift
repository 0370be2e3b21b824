internal import Glibc
internal import Logging

/// What is to become a line of the log.
struct LogRecord: Sendable {
    /// When it happened.
    let time: LogTime
    /// How grave it is.
    let level: Logger.Level
    /// Which part of the program it comes from.
    let label: String
    /// What happened.
    let message: String
    /// About how many octets the record keeps in memory until it is written.
    let cost: Int
    /// More on what happened. Asked for by the thread that writes, once.
    let metadata: @Sendable () -> Logger.Metadata
}

/// A moment, to the millisecond.
struct LogTime: Equatable, Sendable {
    /// Seconds since 1970.
    let seconds: Int
    /// Milliseconds since the second began.
    let milliseconds: Int

    /// The present moment, by the clock on the wall.
    static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// The date and time of day without the milliseconds, as RFC 3339 writes them: "2026-08-02T17:00:00".
    var secondText: String {
        var seconds = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "1970-01-01T00:00:00" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(Int(parts.tm_year) + 1_900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    /// What follows that: ".123Z".
    var fractionText: String { "." + String(1_000 + milliseconds).dropFirst() + "Z" }
}
