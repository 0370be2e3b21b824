internal import Glibc

/// What the kernel knows of this process, under the names that exporters of Prometheus agree on. What it does not tell is nil, and
/// left out.
struct ProcessReadings: Equatable, Sendable {
    /// Processor time used, in user and system mode together, in seconds.
    var cpuSeconds: Double?
    /// Descriptors that are open.
    var openDescriptors: Int?
    /// Descriptors that may be open, by the soft limit.
    var maximumDescriptors: Double?
    /// Size, threads and start.
    var status: ProcessStatus?

    /// What it is now. Opens files of the kernel's, which needs descriptors; what comes by system calls alone comes without any.
    static func current() -> ProcessReadings {
        var readings = ProcessReadings()
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
            readings.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            readings.maximumDescriptors = limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
        }
        readings.openDescriptors = KernelFile.entries(of: "/proc/self/fd")
        readings.status = KernelFile.text("/proc/self/stat").flatMap(ProcessStatus.init)
        return readings
    }

    /// When the process started, in seconds since 1970. To be asked for once: what it is reckoned from, the age of the process and
    /// the time of day, changes with every correction of the clock.
    static func startSeconds() -> Double? {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var (now, sinceBoot) = (timespec(), timespec())
        guard ticks > 0, clock_gettime(CLOCK_REALTIME, &now) == 0, clock_gettime(CLOCK_BOOTTIME, &sinceBoot) == 0,
            let status = KernelFile.text("/proc/self/stat").flatMap(ProcessStatus.init)
        else { return nil }
        func seconds(_ time: timespec) -> Double { Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 }
        let start = seconds(now) - seconds(sinceBoot) + Double(status.startTicks) / ticks
        return (start * ticks).rounded() / ticks
    }

    /// Writes them out, with the time when the process started.
    func write(startSeconds: Double?, to text: inout ExpositionWriter) {
        if let cpuSeconds {
            text.write(.counter("process_cpu_seconds_total", "Processor time used, in seconds."), cpuSeconds)
        }
        if let openDescriptors { text.write(.gauge("process_open_fds", "Open file descriptors."), openDescriptors) }
        if let maximumDescriptors {
            text.write(.gauge("process_max_fds", "File descriptors that may be open."), maximumDescriptors)
        }
        if let startSeconds {
            text.write(.gauge("process_start_time_seconds", "When the process started, in seconds since 1970."), startSeconds)
        }
        guard let status else { return }
        text.write(.gauge("process_virtual_memory_bytes", "Virtual memory."), status.virtualBytes)
        let page = Double(sysconf(Int32(_SC_PAGESIZE)))
        text.write(.gauge("process_resident_memory_bytes", "Resident memory."), Double(status.residentPages) * page)
        text.write(.gauge("process_threads", "Threads."), status.threads)
    }
}

/// The part of /proc/self/stat (proc(5)) that is told on.
struct ProcessStatus: Equatable, Sendable {
    /// Threads: field 20.
    let threads: Int
    /// Clock ticks from the machine's start to the process's: field 22.
    let startTicks: Int
    /// Size of the address space in octets: field 23.
    let virtualBytes: Int
    /// Pages in memory: field 24.
    let residentPages: Int

    /// Reads the line. The second field is the program's name in parentheses, which may itself have spaces and parentheses, so
    /// that the third begins after the last of them.
    init?(_ line: String) {
        guard let end = line.utf8.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[line.utf8.index(after: end)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 21, let threads = Int(fields[17]), let startTicks = Int(fields[19]),
            let virtualBytes = Int(fields[20]), let residentPages = Int(fields[21])
        else { return nil }
        self.threads = threads
        self.startTicks = startTicks
        self.virtualBytes = virtualBytes
        self.residentPages = residentPages
    }
}
