internal import Synchronization

/// Whether the service takes requests: readers are health checks, the writer is whoever starts and stops it.
final class Lifecycle: Sendable {
    private let ready = Atomic(false)

    /// Whether requests should be sent here.
    var isReady: Bool {
        get { ready.load(ordering: .acquiring) }
        set { ready.store(newValue, ordering: .releasing) }
    }
}
