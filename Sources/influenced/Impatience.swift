internal import Dispatch
internal import Glibc
internal import Service
internal import Synchronization

/// Ends the program at once when it is told a second time to end: the first SIGTERM or SIGINT begins a drain, which whoever sends
/// another does not want to wait for.
final class Impatience: Sendable {
    private let received = Atomic<UInt>(0)
    private let sink: LogSink

    /// Watches from now on, for the rest of the process's life; `sink` gets the time to write what was logged.
    init(_ sink: LogSink) {
        self.sink = sink
        for number in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
            // The source holds itself, and this.
            source.setEventHandler { self.receive(source.data, of: number) }
            source.activate()
        }
    }

    private func receive(_ count: UInt, of number: Int32) {
        guard received.wrappingAdd(count, ordering: .relaxed).newValue > 1 else { return }
        sink.flush(within: .milliseconds(100))
        // 128 + n is what a shell says of a program that signal n has ended.
        _exit(128 + number)
    }
}
