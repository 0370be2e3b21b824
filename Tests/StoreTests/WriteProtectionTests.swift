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
        try Self.protect(fixture, folder: 0o555, file: 0o444)
        defer { try? Self.protect(fixture, folder: 0o755, file: 0o644) }
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

    @Test("a write-protected file in a writable folder is opened for reading when writing was asked for")
    func protectedFile() async throws {
        _ = try fixture.open().addModel()
        try Self.protect(fixture, folder: 0o777, file: 0o444)
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            let store = try Store.open(at: path, access: .readWrite)
            #expect(!store.isWritable)
            #expect(try store.models().map(\.name) == ["net"])
        }
    }

    @Test("a store cannot be made in a write-protected folder, and the error says so")
    func newStore() async throws {
        try Self.protect(fixture, folder: 0o555, file: nil)
        await #expect(processExitsWith: .success) { [path = fixture.path as String] in
            Self.giveUpRoot()
            #expect(throws: StoreError.readOnly(path: path)) {
                try Store.open(at: path, access: .readWrite, createIfMissing: true)
            }
        }
    }

    private static func protect(_ fixture: Fixture, folder: Int, file: Int?) throws {
        if let file { try FileManager.default.setAttributes([.posixPermissions: file], ofItemAtPath: fixture.path) }
        try FileManager.default.setAttributes([.posixPermissions: folder], ofItemAtPath: fixture.directory.url.path)
    }

    private static func giveUpRoot() {
        if getuid() == 0 { precondition(setuid(65_534) == 0) }
    }
}
