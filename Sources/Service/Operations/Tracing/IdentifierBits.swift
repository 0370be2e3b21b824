internal import LinearAlgebra
internal import Synchronization

/// Random bits for names of requests, traces and spans: different everywhere and always, and no secret.
///
/// The system gives one seed for each process. Asking it for each name would cost a system call, at tens of thousands of requests a
/// second a tenth of all the work.
enum IdentifierBits {
    private static let stream = Mutex(RandomStream(seed: .random(in: 0...UInt64.max)))

    /// As many random bits as a number has. Any thread.
    static func next<Number: FixedWidthInteger & UnsignedInteger>() -> Number { stream.withLock { $0.next() } }
}
