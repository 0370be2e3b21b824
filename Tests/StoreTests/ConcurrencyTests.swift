import Dispatch
import Formats
import Foundation
import GRDB
import Glibc
import Synchronization
import Testing

@testable import Store

@Suite("Concurrent use")
struct ConcurrencyTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test("many threads read the right rows while another writes")
    func readersDuringWrites() throws {
        let store = try fixture.open()
        let checkpoint = try store.addModel()
        let dataset = try store.dataset(named: "digits")
        let expected = Fixture.inputs.bytes
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 6) { worker in
            do {
                for round in 0..<20 {
                    if worker == 0 {
                        try store.importDataset(named: "d\(round)", inputs: bytes([40, 50]), targets: labels(40))
                    } else if worker == 1 {
                        try store.putDerived(
                            of: checkpoint, kind: "spectrum", key: ContentDigest(ofParts: []), summary: "\(round)")
                    } else {
                        let rows = round..<min(30, round + worker + 1)
                        let found = try store.inputs(dataset, rows)
                        if found != expected[rows.lowerBound * 7..<rows.upperBound * 7] {
                            failures.withLock { $0.append("rows \(rows) differ") }
                        }
                    }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 }.isEmpty)
        #expect(try store.datasets().count == 21)
        #expect(try store.check().isEmpty)
    }

    @Test("a store that another store is writing to is busy after the time that was allowed, and readable throughout")
    func busyStore() throws {
        let first = try fixture.open()
        _ = try first.addModel()
        let second = try fixture.open(busyTimeout: 0.05)
        let busy = StoreError.busy(path: fixture.path, seconds: 0.05)
        var asked = false
        try first.importDataset(named: "long", inputs: Fixture.inputs, targets: labels(30)) { _, _ in
            guard !asked else { return }
            asked = true
            #expect(throws: busy) { try second.importDataset(named: "x", inputs: bytes([2, 2]), targets: labels(2)) }
            #expect(throws: busy) { try fixture.open(busyTimeout: 0.05) }
            let readers = [second, try fixture.open(.readOnly)]
            for reader in readers { #expect(try reader.datasets().map(\.name) == ["digits"]) }
        }
        #expect(asked)
        try second.importDataset(named: "x", inputs: bytes([2, 2]), targets: labels(2))
        #expect(try first.datasets().map(\.name) == ["digits", "long", "x"])
    }

    @Test("a write through the same store on another thread waits for its turn")
    func waitingThread() throws {
        let store = try fixture.open()
        let outcome = Mutex<(any Error)?>(nil)
        let begun = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            begun.wait()
            do {
                try store.importDataset(named: "second", inputs: bytes([2, 2]), targets: labels(2))
            } catch {
                outcome.withLock { $0 = error }
            }
            done.signal()
        }
        var told = false
        try store.importDataset(named: "first", inputs: Fixture.inputs, targets: labels(30)) { _, _ in
            guard !told else { return }
            told = true
            begun.signal()
            usleep(50_000)
        }
        done.wait()
        #expect(outcome.withLock { $0 } == nil)
        #expect(try store.datasets().map(\.name) == ["first", "second"])
    }

    @Test("writing from within an import through the same store is refused as busy, not a deadlock")
    func reentrantWrite() throws {
        let store = try fixture.open(busyTimeout: 0.05)
        #expect(throws: StoreError.busy(path: fixture.path, seconds: 0.05)) {
            try store.importDataset(named: "outer", inputs: Fixture.inputs, targets: labels(30)) { _, _ in
                try store.importDataset(named: "inner", inputs: bytes([2, 2]), targets: labels(2))
            }
        }
        #expect(try store.datasets().isEmpty)
    }

    @Test("a write waits for another program's transaction no longer than was allowed")
    func foreignWriter() throws {
        let store = try fixture.open(busyTimeout: 0.05)
        let queue = try DatabaseQueue(path: fixture.path)
        try queue.inDatabase { db in
            try db.inTransaction(.immediate) {
                #expect(throws: StoreError.busy(path: fixture.path, seconds: 0.05)) {
                    try store.importDataset(named: "x", inputs: bytes([2, 2]), targets: labels(2))
                }
                return .rollback
            }
        }
        #expect(try store.importDataset(named: "x", inputs: bytes([2, 2]), targets: labels(2)).name == "x")
    }

    @Test("processes that write by turns all get through, and the store stays whole")
    func processes() async throws {
        let path = fixture.path
        _ = try fixture.open().addModel()
        async let first: Void = Self.write(path, "a")
        async let second: Void = Self.write(path, "b")
        _ = await (first, second)
        let store = try fixture.open()
        #expect(try store.datasets().count == 41)
        #expect(try store.check().isEmpty)
    }

    private static func write(_ path: String, _ prefix: String) async {
        await #expect(processExitsWith: .success) { [path = path as String, prefix = prefix as String] in
            for round in 0..<20 {
                let store = try Fixture.open(path, blockByteCount: 1 << 16, busyTimeout: 60)
                try store.importDataset(named: "\(prefix)\(round)", inputs: bytes([50, 5000]), targets: labels(50))
            }
        }
    }
}
