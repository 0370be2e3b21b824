import Glibc
import Synchronization

/// Ends what the tests have started and not ended: politely where they come to their end, for processes that static values hold, and at
/// once where they are killed.
///
/// For the latter a shell holds the list of what runs, and reads from a socket of which this process alone has the other end: the socket's
/// end is this process's. (`PR_SET_PDEATHSIG` would be the end of the thread that started a process, and threads of a pool come and go.)
final class ProcessWarden: Sendable {
    static let shared = ProcessWarden()

    private let running = Mutex<Set<pid_t>>([])
    private let socket: Int32

    private static let script = """
        trap '' HUP INT QUIT TERM
        while read -r change pid; do
            case $change in
            began) running="$running $pid" ;;
            ended)
                others=
                for other in $running; do [ "$other" = "$pid" ] || others="$others $other"; done
                running=$others
                ;;
            esac
        done
        for pid in $running; do kill -KILL "$pid"; done
        """

    private init() {
        var ends: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        socket = ends[1]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        // Whoever reads what the tests print does not wait for the shell.
        for stream in [1, 2] as [Int32] { posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0) }
        let command = ["sh", "-c", Self.script]
        var argv = command.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var child: pid_t = 0
        posix_spawnp(&child, "sh", &actions, nil, &argv, environ)
        close(ends[0])
        atexit { ProcessWarden.shared.endAll() }
    }

    func began(_ pid: pid_t) {
        _ = running.withLock { $0.insert(pid) }
        tell("began \(pid)\n")
    }

    func ended(_ pid: pid_t) {
        _ = running.withLock { $0.remove(pid) }
        tell("ended \(pid)\n")
    }

    private func tell(_ line: String) { _ = send(socket, line, line.utf8.count, Int32(MSG_NOSIGNAL)) }

    /// Asks all to end, and waits for them: some seconds at most, after which the shell ends them.
    private func endAll() {
        let pids = running.withLock { $0 }
        for pid in pids { kill(pid, SIGTERM) }
        for pid in pids where eventually(seconds: 15, { waitpid(pid, nil, WNOHANG) != 0 }) { ended(pid) }
    }
}
