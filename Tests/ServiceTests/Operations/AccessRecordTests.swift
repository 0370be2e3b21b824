import Foundation
import JSON
import Logging
import Synchronization
import Testing

@testable import Service

@Suite("The access log")
struct AccessRecordTests {
    private func record() throws -> AccessRecord {
        AccessRecord(
            requestID: try #require(RequestIdentifier("abc-1")),
            trace: TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), peer: "192.0.2.1:50000",
            keyName: "ci", method: "POST", path: "/influence?a=b", route: "/influence", status: 200, receivedBytes: 120,
            sentBytes: 4_500, durationMilliseconds: 17.912_345_6, queueMilliseconds: 0.123_49, userAgent: "curl/8.1")
    }

    @Test("a record is metadata, numbers as numbers and times to a microsecond")
    func metadata() throws {
        let metadata = try record().metadata
        #expect(
            metadata.mapValues { "\($0)" } == [
                "request_id": "abc-1", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7",
                "peer": "192.0.2.1:50000", "key": "ci", "method": "POST", "path": "/influence?a=b", "route": "/influence",
                "status": "200", "received_bytes": "120", "sent_bytes": "4500", "duration_ms": "17.912", "queue_ms": "0.123",
                "user_agent": "curl/8.1",
            ])
        #expect(metadata["status"].map(LogValue.init) == .literal("200"))
        #expect(metadata["duration_ms"].map(LogValue.init) == .literal("17.912"))
    }

    @Test("what is not known is left out")
    func missing() throws {
        var record = try record()
        (record.trace, record.keyName, record.queueMilliseconds, record.userAgent) = (nil, nil, nil, nil)
        #expect(
            Set(record.metadata.keys) == [
                "request_id", "peer", "method", "path", "route", "status", "received_bytes", "sent_bytes", "duration_ms",
            ])
    }

    private func written(level: Logger.Level, _ format: LogFormat = .json) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID().uuidString)").path
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try #require(FileHandle(forWritingAtPath: path))
        let sink = LogSink(descriptor: file.fileDescriptor, format: format)
        var logger = Logger(label: "influenced") { LineLogHandler(label: $0, sink: sink) }
        logger.logLevel = level
        AccessLog(logger).write(try record())
        #expect(sink.flush(within: .seconds(10)))
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    @Test("a request is one line of JSON")
    func json() throws {
        let line = try written(level: .info)
        let json = try JSON(parsing: Array(line.utf8.dropLast()))
        #expect(json["message"]?.stringValue == "request" && json["level"]?.stringValue == "info")
        #expect(json["status"] == .integer(200) && json["duration_ms"] == .double(17.912))
        #expect(json["request_id"]?.stringValue == "abc-1" && json["label"]?.stringValue == "influenced")
    }

    @Test("a request is one line of text")
    func text() throws {
        let line = try written(level: .debug, .text)
        #expect(line.contains(" message=request duration_ms=17.912 key=ci method=POST path=\"/influence?a=b\" "))
    }

    @Test("above the level of information nothing is written")
    func level() throws { #expect(try written(level: .warning).isEmpty) }

    @Test("other handlers get the same by the usual way")
    func otherHandlers() throws {
        let handler = Recorder()
        AccessLog(Logger(label: "x") { _ in handler }).write(try record())
        #expect(handler.events.withLock { $0 } == [try record().metadata])
    }

    private final class Recorder: LogHandler {
        let events = Mutex<[Logger.Metadata]>([])
        let state = Mutex<Logger.Metadata>([:])
        var metadataProvider: Logger.MetadataProvider? {
            get { nil }
            set { _ = newValue }
        }
        var logLevel: Logger.Level {
            get { .info }
            set { _ = newValue }
        }
        var metadata: Logger.Metadata {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { events.withLock { $0.append(event.metadata ?? [:]) } }
    }
}
