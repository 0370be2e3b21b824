import Foundation
import Glibc
import TestSupport
import Testing

/// What the tests themselves leave behind: nothing, however they end.
@Suite("What tests have started and written")
struct LeftoverTests {
    /// What no test lets go of.
    private static let held = Result { try Workbench.prepared().serve() }

    /// In a process of its own: holds a server whose store lies in a folder, and writes down which process it is.
    private static func hold(in folder: String) throws {
        setenv("TMPDIR", folder, 1)
        try "\(held.get().process.pid)".write(toFile: "\(folder)/pid", atomically: true, encoding: .utf8)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count > 1)
    }

    /// The server that was held.
    private static func pid(in folder: TemporaryDirectory) throws -> pid_t {
        try #require(pid_t(String(contentsOfFile: folder.path("pid"), encoding: .utf8)))
    }

    /// Whether a process is more than an entry that nobody has collected.
    private static func runs(_ pid: pid_t) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return status.split(separator: ") ").last?.hasPrefix("Z") == false
    }

    @Test("goes when they come to their end, with what is never let go of")
    func ending() async throws {
        let folder = try TemporaryDirectory()
        await #expect(processExitsWith: .success) { [path = folder.url.path as String] in try LeftoverTests.hold(in: path) }
        #expect(try !Self.runs(Self.pid(in: folder)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["pid"])
    }

    @Test("does not run on when they are killed")
    func killed() async throws {
        let folder = try TemporaryDirectory()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.url.path as String] in
            try LeftoverTests.hold(in: path)
            kill(getpid(), SIGKILL)
        }
        let pid = try Self.pid(in: folder)
        #expect(eventually { !Self.runs(pid) })
    }
}
