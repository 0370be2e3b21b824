import Dispatch
import Foundation
import Glibc
import Logging
import Synchronization
import Testing

@testable import Service

/// A pipe whose ends are closed at the end of the test at the latest.
private final class TestPipe {
    let writeEnd: Int32
    private let readEnd: Int32
    private var isReadOpen = true
    /// Octets to read before the first line.
    private var filler = 0

    /// A pipe, which takes nothing until somebody reads where it is full.
    init(isFull: Bool = false, isNonBlocking: Bool = false) throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (readEnd, writeEnd) = (ends[0], ends[1])
        try #require(fcntl(writeEnd, F_SETFL, O_NONBLOCK) == 0)
        while isFull, write(writeEnd, [0], 1) == 1 { filler += 1 }
        if !isNonBlocking { try #require(fcntl(writeEnd, F_SETFL, 0) == 0) }
    }

    deinit {
        closeReadEnd()
        close(writeEnd)
    }

    func closeReadEnd() {
        if isReadOpen { close(readEnd) }
        isReadOpen = false
    }

    /// What comes up to the `count`th line; waits for it.
    func lines(_ count: Int) -> [String] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count(where: { $0 == 0x0A }) < count {
            let more = read(readEnd, &buffer, buffer.count)
            if more <= 0 { break }
            let skipped = min(filler, more)
            filler -= skipped
            bytes += buffer[skipped..<more]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

@Suite("Writing the log")
struct LogSinkTests {
    private func logger(_ sink: LogSink) -> Logger {
        Logger(label: "test") { LineLogHandler(label: $0, sink: sink) }
    }

    private func message(_ line: String) -> Substring? { line.split(separator: " message=").last }

    @Test("lines come out in their order, all of them")
    func order() throws {
        let pipe = try TestPipe()
        let sink = LogSink(descriptor: pipe.writeEnd, format: .text)
        let logger = logger(sink)
        for number in 0..<200 { logger.info("\(number)") }
        #expect(sink.flush(within: .seconds(10)))
        #expect(pipe.lines(200).map { message($0) } == (0..<200).map { "\($0)" })
        #expect(sink.droppedLines == 0)
    }

    @Test("a handler adds its own metadata, the provider's and the call's, the nearest first; and the error")
    func merging() throws {
        struct Broken: Error {}
        let pipe = try TestPipe()
        let sink = LogSink(descriptor: pipe.writeEnd, format: .text)
        let provider = Logger.MetadataProvider { ["b": "provider", "c": "provider"] }
        var logger = Logger(label: "test") { LineLogHandler(label: $0, sink: sink, metadataProvider: provider) }
        logger[metadataKey: "a"] = "handler"
        logger[metadataKey: "b"] = "handler"
        logger.debug("not at this level")
        logger.notice("now", metadata: ["c": "call"])
        logger.error("failed", error: Broken())
        let lines = pipe.lines(2)
        #expect(lines.first?.hasSuffix("level=notice label=test message=now a=handler b=provider c=call") == true)
        #expect(lines.last?.hasSuffix("message=failed a=handler b=provider c=provider error=Broken()") == true)
        #expect(logger[metadataKey: "a"] == "handler")
    }

    @Test("values are written as they were when they were logged")
    func snapshot() throws {
        final class Changing: CustomStringConvertible, Sendable {
            let count = Atomic(1)
            var description: String { "at \(count.load(ordering: .relaxed))" }
        }
        let pipe = try TestPipe(isFull: true)
        let sink = LogSink(descriptor: pipe.writeEnd, format: .text)
        let changing = Changing()
        logger(sink).info("x", metadata: ["v": .stringConvertible(changing), "l": [.stringConvertible(changing)]])
        changing.count.store(2, ordering: .relaxed)
        #expect(pipe.lines(1).last?.hasSuffix(#" l="[\"at 1\"]" v="at 1""#) == true)
    }

    @Test("a full pipe that nobody reads blocks nobody; what is dropped is counted and told of later")
    func fullPipe() throws {
        let pipe = try TestPipe(isFull: true)
        let sink = LogSink(descriptor: pipe.writeEnd, format: .text, capacity: 100)
        let logger = logger(sink)
        for number in 0..<117 { logger.info("\(number)") }
        #expect(sink.droppedLines == 17)
        #expect(!sink.flush(within: .milliseconds(20)), "nothing can be written out yet")
        let lines = pipe.lines(101)
        #expect(lines.count == 101 && message(lines[99]) == "99")
        #expect(lines[100].hasSuffix("level=warning label=influenced.log message=\"dropped 17 lines\" dropped=17"))
        // What has been read from the pipe may still have its place: it goes when the writer comes back from the system.
        #expect(sink.flush(within: .seconds(10)))
        logger.info("after")
        #expect(pipe.lines(1).map { message($0) } == ["after"])
        #expect(sink.flush(within: .seconds(10)) && sink.droppedLines == 17)
    }

    @Test("waiting records are bounded by their size as well")
    func bytes() throws {
        let pipe = try TestPipe(isFull: true)
        let sink = LogSink(descriptor: pipe.writeEnd, format: .text, capacity: 8_192, byteCapacity: 10_000)
        let logger = logger(sink)
        let long = Logger.MetadataValue.string(String(repeating: "v", count: 3_000))
        for _ in 0..<5 { logger.info("long", metadata: ["v": long]) }
        #expect(sink.droppedLines == 2)
        logger.info("x", metadata: ["nested": ["list": [long, long, long, long]]])
        #expect(sink.droppedLines == 3)
    }

    @Test("a non-blocking pipe is waited for")
    func nonBlocking() throws {
        let pipe = try TestPipe(isFull: true, isNonBlocking: true)
        let sink = LogSink(descriptor: pipe.writeEnd, format: .text)
        logger(sink).info("last")
        #expect(pipe.lines(1).last.map { message($0) } == "last")
        #expect(sink.droppedLines == 0)
    }

    @Test("a pipe that is closed at the other end drops lines, and the program lives")
    func closedPipe() throws {
        let pipe = try TestPipe()
        let sink = LogSink(descriptor: pipe.writeEnd, format: .json)
        pipe.closeReadEnd()
        let logger = logger(sink)
        for _ in 0..<3 {
            logger.info("into the void")
            #expect(sink.flush(within: .seconds(10)))
        }
        #expect(sink.droppedLines == 3)
    }

    @Test("a descriptor that is not open drops lines")
    func noDescriptor() {
        let sink = LogSink(descriptor: -1, format: .text)
        logger(sink).info("nowhere")
        #expect(sink.flush(within: .seconds(10)) && sink.droppedLines == 1)
    }

    @Test("lines that could not be written are told of once they can be")
    func recovery() throws {
        let queue = LogQueue(capacity: 10, byteCapacity: 1 << 20)
        let record = LogRecord(time: .now(), level: .info, label: "", message: "", cost: 10) { [:] }
        queue.append(record)
        let first = try #require(queue.next())
        queue.finish(first, unwritten: 1, untold: 0)
        queue.append(record)
        let second = try #require(queue.next())
        #expect(second.records.count == 1 && second.dropped == 1)
        queue.finish(second, unwritten: 0, untold: 1)
        queue.append(record)
        #expect(queue.next()?.dropped == 1)
        #expect(queue.dropped == 1)
    }

    @Test("a sink that is let go of writes what it has, and closes its descriptor")
    func end() throws {
        let pipe = try TestPipe()
        do {
            let sink = LogSink(descriptor: pipe.writeEnd, format: .text)
            logger(sink).info("last words")
        }
        #expect(pipe.lines(1).map { message($0) } == ["\"last words\""])
    }

    @Test("lines of many threads come out whole, each thread's in its order")
    func threads() throws {
        let pipe = try TestPipe()
        let sink = LogSink(descriptor: pipe.writeEnd, format: .text)
        let logger = logger(sink)
        let reader = Mutex<[String]>([])
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) let source = pipe
        Thread.detachNewThread {
            reader.withLock { $0 = source.lines(4_000) }
            done.signal()
        }
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for number in 0..<1_000 { logger.info("line", metadata: ["thread": "\(thread)", "number": "\(number)"]) }
        }
        done.wait()
        let lines = reader.withLock { $0 }
        for thread in 0..<4 {
            let own = lines.filter { $0.hasSuffix(" thread=\(thread)") }
            #expect(own.map { $0.split(separator: " ").dropLast().last } == (0..<1_000).map { "number=\($0)" })
        }
    }
}
