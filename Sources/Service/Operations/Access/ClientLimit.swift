internal import Synchronization

/// Holds each client to so many requests in progress, so that one alone cannot fill the queue.
///
/// Clients are forgotten when their last request ends, so that memory is bounded by the requests in progress. Any thread.
final class ClientLimit: Sendable {
    /// Requests that one client may have in progress; 0 is no limit.
    let maximum: Int
    private let counts = Mutex<[Client: Int]>([:])

    /// A limit of `maximum` requests for each client; 0, or less, is none.
    init(maximum: Int) { self.maximum = max(0, maximum) }

    /// Counts a request of `client`, until what is returned is let go of; nil where it has as many as it may. O(1).
    func admit(_ client: Client) -> Permit? {
        guard maximum > 0 else { return Permit(nil, client) }
        let isAdmitted = counts.withLock { counts in
            let count = counts[client, default: 0]
            guard count < maximum else { return false }
            counts[client] = count + 1
            return true
        }
        return isAdmitted ? Permit(self, client) : nil
    }

    /// Clients that have a request in progress; 0 where there is no limit, and nothing is counted.
    var clients: Int { counts.withLock { $0.count } }

    private func release(_ client: Client) {
        counts.withLock { counts in
            guard let count = counts[client] else { return }
            counts[client] = count > 1 ? count - 1 : nil
            // A dictionary keeps the room that it once needed; a crowd that has left should not be remembered.
            if counts.isEmpty, counts.capacity > 1_024 { counts = [:] }
        }
    }

    /// The place of one request. Letting go of it, on whatever path, gives the place back.
    final class Permit: Sendable {
        private let limit: ClientLimit?
        private let client: Client

        fileprivate init(_ limit: ClientLimit?, _ client: Client) {
            self.limit = limit
            self.client = client
        }

        deinit { limit?.release(client) }
    }
}
