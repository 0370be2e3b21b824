internal import Dispatch
internal import Glibc
internal import LinearAlgebra
internal import Synchronization

/// Asks a command to stop when it is told to by SIGINT or SIGTERM, so that it can save what it has; a second signal ends the program
/// at once.
final class Stopper: Sendable {
    private let received = Atomic<UInt>(0)

    /// Whether a signal has come.
    var interruption: Interruption { Interruption { self.received.load(ordering: .relaxed) > 0 } }

    /// Watches from now on, for the rest of the process's life.
    init() {
        for number in [SIGINT, SIGTERM] {
            // Or the signal would end the program before its source is asked.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
            // The source holds itself, and this.
            source.setEventHandler { self.receive(source.data, of: number) }
            source.activate()
        }
    }

    private func receive(_ count: UInt, of number: Int32) {
        guard received.wrappingAdd(count, ordering: .relaxed).newValue > 1 else { return }
        // 128 + n is what a shell says of a program that signal n has ended.
        _exit(128 + number)
    }
}
