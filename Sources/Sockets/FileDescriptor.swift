import Glibc

/// The sole owner of an open file descriptor. It cannot be copied, and closes the descriptor exactly once, when it goes.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number by which the kernel knows the file. Valid for as long as this value lives.
    public let number: Int32

    /// Takes over `number`, which must be open and owned by nobody else.
    ///
    /// - Precondition: `number` is not negative.
    public init(owning number: Int32) {
        precondition(number >= 0, "A descriptor to own must be open")
        self.number = number
    }

    // close(2) is not retried on EINTR: on Linux the descriptor is gone by then, and its number may be somebody else's.
    deinit { _ = close(number) }
}

/// Repeats a system call for as long as a signal interrupts it (EINTR).
func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
