import Foundation
import Glibc
import Synchronization
import TestSupport

/// The program in a process of its own, as users run it. Whoever lets go of it ends it, and so does the end of the tests.
final class InfluencedProcess: Sendable {
    /// How a process ended.
    enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The program lies beside the test runner: both are products of one build.
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("influenced").path

    let pid: pid_t
    private let folder: TemporaryDirectory
    private let ending = Mutex<Ending?>(nil)

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - environment: added to this process's own, of which settings of the program are left out.
    ///   - launcher: a command in front of the program, such as one that changes the user.
    init(_ arguments: [String], environment: [String: String] = [:], stdin: Data = Data(), launcher: [String] = []) throws {
        folder = try TemporaryDirectory()
        try stdin.write(to: folder.url.appendingPathComponent("in"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, folder.path("in"), O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, folder.path("out"), O_WRONLY | O_CREAT, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, folder.path("err"), O_WRONLY | O_CREAT, 0o644)

        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("INFLUENCED_") }
        let variables = inherited.merging(environment) { $1 }.map { "\($0)=\($1)" }
        let command = launcher + [Self.program] + arguments
        var argv = command.map { strdup($0) } + [nil]
        var envp = variables.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawnp(&child, command[0], &actions, nil, &argv, &envp)
        guard code == 0 else { throw Failure(description: "\(command[0]): \(String(cString: strerror(code)))") }
        pid = child
        ProcessWarden.shared.began(child)
    }

    deinit { stop() }

    /// What it has written to standard output so far.
    var standardOutput: String { text("out") }
    /// What it has written to standard error so far.
    var standardError: String { text("err") }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: folder.path(name)) ?? Data(), as: UTF8.self)
    }

    /// Sends a signal, unless it has ended.
    func send(_ signal: Int32) {
        ending.withLock { if $0 == nil { kill(pid, signal) } }
    }

    /// Its ending, or nil while it runs.
    func poll() -> Ending? {
        ending.withLock { ending in
            var status: Int32 = 0
            guard ending == nil, waitpid(pid, &status, WNOHANG) == pid else { return ending }
            ProcessWarden.shared.ended(pid)
            let signal = status & 0x7f
            ending = signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)
            return ending
        }
    }

    /// Waits for its ending.
    func wait(seconds: Double = 60) throws -> Ending {
        guard eventually(seconds: seconds, { poll() != nil }), let ending = poll() else {
            throw Failure(description: "it still runs after \(seconds) s; standard error: \(standardError)")
        }
        return ending
    }

    /// Ends it: politely at first.
    @discardableResult
    func stop() -> Ending? {
        send(SIGTERM)
        if let ending = try? wait(seconds: 15) { return ending }
        send(SIGKILL)
        return try? wait(seconds: 15)
    }
}

/// What a command came to.
struct CommandResult {
    let ending: InfluencedProcess.Ending
    let standardOutput: String
    let standardError: String
}

/// Runs a command of the program to its end.
func influenced(
    _ arguments: String..., environment: [String: String] = [:], stdin: String = "", launcher: [String] = []
) throws -> CommandResult {
    let process = try InfluencedProcess(arguments, environment: environment, stdin: Data(stdin.utf8), launcher: launcher)
    return CommandResult(
        ending: try process.wait(), standardOutput: process.standardOutput, standardError: process.standardError)
}

/// Whether a condition comes to hold within a generous time.
func eventually(seconds: Double = 20, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = DispatchTime.now() + seconds
    repeat {
        if try condition() { return true }
        usleep(2_000)
    } while DispatchTime.now() < deadline
    return try condition()
}
