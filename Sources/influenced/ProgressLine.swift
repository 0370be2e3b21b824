internal import Foundation
internal import Synchronization

/// A line on the terminal that says how far something has come; silent where standard error is no terminal.
final class ProgressLine: Sendable {
    private let title: String
    private let isShown: Bool
    private let lastPercent = Mutex(-1)

    init(_ title: String) {
        self.title = title
        isShown = isatty(STDERR_FILENO) == 1
    }

    /// Shows `done` of `total`.
    func update(_ done: Int, _ total: Int) {
        guard isShown, total > 0 else { return }
        let percent = Int(Double(done) / Double(total) * 100)
        let isNew = lastPercent.withLock { last in
            defer { last = percent }
            return last != percent
        }
        if isNew { write("\r\(title): \(percent) %") }
    }

    /// Leaves the line.
    func finish() { if isShown { write("\n") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
