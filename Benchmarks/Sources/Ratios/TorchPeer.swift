import Foundation

/// PyTorch's version of the same work, in a process of its own that is told a case a line and answers with its milliseconds.
final class TorchPeer {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()
    private var unread = Data()

    /// Starts the peer with an interpreter that has what it imports, torch first; nil where there is none.
    init?(interpreter: String, script: String, data: String) throws {
        process.executableURL = URL(fileURLWithPath: interpreter)
        process.arguments = [script, data]
        process.standardInput = requests
        process.standardOutput = answers
        try process.run()
        guard readLine() == "ready" else { return nil }
    }

    deinit {
        try? requests.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Runs a case once.
    func milliseconds(_ name: String) throws -> Double {
        try requests.fileHandleForWriting.write(contentsOf: Data((name + "\n").utf8))
        guard let line = readLine(), let time = Double(line) else { throw CocoaError(.fileReadUnknown) }
        // Its threads look out for more work for some milliseconds, on the processors that are to be measured next.
        Thread.sleep(forTimeInterval: 0.05)
        return time
    }

    private func readLine() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                return line
            }
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else { return nil }
            unread.append(more)
        }
    }
}
