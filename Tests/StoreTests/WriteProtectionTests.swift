import Formats
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Store

/// Each runs in a process of its own that has given up root's powers, because root may write anywhere.
@Suite("Write protection")
struct WriteProtectionTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test("a store in a write-protected folder is opened for reading when writing was asked for")
    func protectedFolder() async throws {
        _ = try fixture.open().addModel()
        try protect(folder: 0o555, file: 0o444)
        defer { try? protect(folder: 0o755, file: 0o644) }
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            let store = try Store.open(at: path, access: .readWrite, createIfMissing: true)
            #expect(!store.isWritable)
            #expect(try store.datasets().map(\.name) == ["digits"])
            #expect(try store.inputs(store.dataset(named: "digits"), 0..<30) == bytes([30, 7]).bytes)
            #expect(try store.check().isEmpty)
            #expect(throws: StoreError.readOnly(path: path)) {
                try store.importDataset(named: "more", inputs: bytes([2, 2]), targets: labels(2))
            }
        }
    }

    @Test("a store that its owner has open is read by a process that may not write, as far as it has been written")
    func protectedFromOthers() async throws {
        let store = try fixture.open()
        _ = try store.addModel()
        try protect(folder: 0o755, file: 0o644)
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            let store = try Store.open(at: path, access: .readWrite)
            #expect(store.isWritable == (getuid() != 65_534))
            #expect(try store.models().map(\.name) == ["net"])
            #expect(try store.check().isEmpty)
        }
        try store.importDataset(named: "more", inputs: bytes([2, 2]), targets: labels(2))
    }

    @Test("a store whose writer was killed, and that has been write-protected since, is read with all that was finished")
    func protectedAfterKill() async throws {
        _ = try fixture.open()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = fixture.path as String] in
            let store = try Fixture.open(path)
            _ = try store.addModel()
            kill(getpid(), SIGKILL)
        }
        try protect(folder: 0o555, file: 0o444)
        defer { try? protect(folder: 0o755, file: 0o644) }
        #expect(FileManager.default.fileExists(atPath: fixture.path + "-wal"))
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            let store = try Store.open(at: path, access: .readOnly)
            #expect(try store.models().map(\.name) == ["net"])
            #expect(try store.check().isEmpty)
        }
    }

    @Test("a store that was last open for reading can be write-protected and read")
    func protectedAfterReading() async throws {
        _ = try fixture.open().addModel()
        _ = try fixture.open(.readOnly).models()
        try protect(folder: 0o555, file: 0o444)
        defer { try? protect(folder: 0o755, file: 0o644) }
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            let store = try Store.open(at: path, access: .readOnly)
            #expect(try store.models().map(\.name) == ["net"])
        }
    }

    @Test("a write-protected file in a writable folder is opened for reading when writing was asked for")
    func protectedFile() async throws {
        _ = try fixture.open().addModel()
        try protect(folder: 0o777, file: 0o444)
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            let store = try Store.open(at: path, access: .readWrite)
            #expect(!store.isWritable)
            #expect(try store.models().map(\.name) == ["net"])
        }
    }

    @Test("a store whose lock file may not be written is opened for reading when writing was asked for")
    func protectedLock() async throws {
        _ = try fixture.open().addModel()
        try protect(folder: 0o777, file: 0o666)
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: fixture.path + "-lock")
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            let store = try Store.open(at: path, access: .readWrite)
            #expect(!store.isWritable)
            #expect(try store.models().map(\.name) == ["net"])
        }
    }

    @Test("a store cannot be made in a write-protected folder, and the error says so")
    func newStore() async throws {
        try protect(folder: 0o555, file: nil)
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            #expect(throws: StoreError.readOnly(path: path)) {
                try Store.open(at: path, access: .readWrite, createIfMissing: true)
            }
        }
    }

    private func protect(folder: Int, file: Int?) throws {
        if let file { try FileManager.default.setAttributes([.posixPermissions: file], ofItemAtPath: fixture.path) }
        try FileManager.default.setAttributes([.posixPermissions: folder], ofItemAtPath: fixture.directory.url.path)
    }

    private static func giveUpRoot() {
        if getuid() == 0 { precondition(setuid(65_534) == 0) }
    }
}
