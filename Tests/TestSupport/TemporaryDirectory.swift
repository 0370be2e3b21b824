public import Foundation
internal import Synchronization

/// A folder of a test's own, removed with everything in it when the value goes; or at the end of the process, where a value that all tests
/// share never goes.
public final class TemporaryDirectory: Sendable {
    /// Where it is.
    public let url: URL

    /// Those that are there.
    private static let present = Mutex<Set<URL>>([])
    private static let removingAtExit: Void = {
        atexit { TemporaryDirectory.present.withLock { $0 }.forEach(TemporaryDirectory.remove) }
    }()

    /// Makes the folder below the system's temporary folder.
    public init() throws {
        Self.removingAtExit
        url = FileManager.default.temporaryDirectory.appendingPathComponent("influenced-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        _ = Self.present.withLock { $0.insert(url) }
    }

    deinit { Self.remove(url) }

    private static func remove(_ url: URL) {
        _ = present.withLock { $0.remove(url) }
        try? FileManager.default.removeItem(at: url)
    }

    /// The path of `name` inside the folder.
    public func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
