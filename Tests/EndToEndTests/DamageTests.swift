import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// Stores that are damaged, and imports that are killed.
@Suite("Damage and interruption")
struct DamageTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// A copy of the demo's store with some of its bytes changed.
    private func damaged(_ change: (inout Data) throws -> Void) throws -> String {
        let path = folder.path("damaged.sqlite")
        try Demo.copy(to: path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try change(&bytes)
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test("wherever a byte is flipped, a check ends with 0, 1 or 2, and never crashes", arguments: 0..<24)
    func flips(seed: UInt64) throws {
        var numbers = SeededNumbers(seed)
        let path = try damaged { bytes in
            // A few at once, and more where SQLite keeps what holds the file together.
            for _ in 0..<8 {
                let range = numbers.uniform() < 0.3 ? 4_096 : bytes.count
                bytes[Int(numbers.next() % UInt64(range))] ^= UInt8(1 << (numbers.next() % 8))
            }
        }
        let check = try influenced("check", "--store", path)
        let said = check.standardOutput + check.standardError
        #expect([.exited(0), .exited(1), .exited(2)].contains(check.ending), "\(said)")
        #expect(!said.isEmpty)
        #expect((check.ending == .exited(0)) == said.contains("whole"))
        let query = try influenced("query", "--store", path, "-", stdin: Demo.question(3).text)
        #expect([.exited(0), .exited(1), .exited(2)].contains(query.ending), "\(query.standardError)")
        #expect((query.ending == .exited(0)) == query.standardError.isEmpty)
    }

    /// Flips a byte of the training images.
    private func damagedImages() throws -> String {
        let example = try Demo.server().get("/datasets/digits-train/examples/700").json.member("input")
        let pixels = Data(example.flattened.map { UInt8($0 * 16) })
        return try damaged { bytes in
            let place = try #require(bytes.range(of: pixels))
            bytes[place.lowerBound + 20] ^= 1
        }
    }

    @Test("a changed pixel is found by a check, which names the dataset, with 1")
    func checkNamesDataset() throws {
        let check = try influenced("check", "--store", damagedImages())
        #expect(check.ending == .exited(1))
        #expect(check.standardOutput.contains("digits-train"))
    }

    @Test("a changed pixel is never computed with: the query fails with 1, and says what is damaged")
    func queryRefusesDamage() throws {
        let query = try influenced("query", "--store", damagedImages(), "-", stdin: Demo.question(3).text)
        #expect(query.ending == .exited(1))
        #expect(query.standardOutput.isEmpty)
        #expect(query.standardError.contains("digits-train") && query.standardError.contains("damaged"), "\(query.standardError)")
    }

    @Test("a server on a damaged store starts, fails what needs the damaged part with 500, and serves the rest")
    func serverOnDamage() throws {
        let server = try InfluencedServer(store: damagedImages())
        try server.post("/influence", Demo.question(3)).expectProblem(500, instance: "/influence")
        #expect(try server.get("/models").status == 200)
        #expect(try server.get("/datasets/digits-test/examples/3").status == 200)
        #expect(try server.get("/health/live").status == 200)
        #expect(server.process.standardError.contains("digits-train"), "the log says what is damaged")
    }

    @Test(
        "a spec that is damaged is said to be the store's, not the request's",
        arguments: [("cross_entropy", "cross_entrapy"), ("\"loss\":", "\"loss\";")])
    func damagedSpec(from: String, to: String) throws {
        let path = try damaged { bytes in
            try #require(bytes.range(of: Data(from.utf8)) != nil)
            while let place = bytes.range(of: Data(from.utf8)) { bytes.replaceSubrange(place, with: Data(to.utf8)) }
        }
        let query = try influenced("query", "--store", path, "-", stdin: Demo.question(3).text)
        #expect(query.ending == .exited(1))
        #expect(query.standardError.contains("model 'digits' is damaged: its spec"), "\(query.standardError)")
    }

    @Test("a store that is cut short is refused or reported, at any length", arguments: [0, 1, 100, 512, 4_096, 100_000])
    func truncated(length: Int) throws {
        let path = try damaged { $0 = $0.prefix(length) }
        let check = try influenced("check", "--store", path)
        #expect([.exited(1), .exited(2)].contains(check.ending))
        #expect(!(check.standardOutput + check.standardError).isEmpty)
    }

    @Test("what is no store is refused with 2 by every command that reads one")
    func noStore() throws {
        let path = folder.path("text.sqlite")
        try Data("this is no store".utf8).write(to: URL(fileURLWithPath: path))
        for result in [
            try influenced("check", "--store", path), try influenced("query", "--store", path, "-", stdin: Demo.question(3).text),
            try influenced("cache", "--store", path, "--model", "digits"), try influenced("demo", "--store", path),
        ] {
            #expect(result.ending == .exited(2))
            #expect(result.standardError.contains("not a store"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("this is no store".utf8))
    }

    @Test("a limit on the length of files ends an import with 1 and words, not by a signal, and the store stays as it was")
    func fileSizeLimit() throws {
        let bench = try Workbench.prepared()
        try bench.write("g.npy", ArrayFile.npyHeader("<f4", [3_000, 4_000]))
        let size = try #require(FileManager.default.attributesOfItem(atPath: bench.folder.path("g.npy"))[.size] as? Int)
        #expect(truncate(bench.folder.path("g.npy"), size + 48_000_000) == 0)
        let process = try InfluencedProcess(
            ["import", "gradients", "--store", bench.store, "--name", "g", "--gradients", bench.folder.path("g.npy")],
            launcher: ["sh", "-c", "ulimit -f 8000; exec \"$@\"", "sh"])
        #expect(try process.wait() == .exited(1))
        #expect(process.standardError.contains("store.sqlite"), "\(process.standardError)")
        #expect(try bench.serve().get("/models").json.list("models").map { $0["name"] } == ["good"])
        #expect(try bench.succeed("check").contains("whole"))
    }

    @Test("an import that is killed leaves nothing behind, and can be repeated")
    func killedImport() throws {
        let bench = try Workbench.prepared()
        // Zeros that take no room on the disk: 96 MB of them.
        let rows = 98_304
        try bench.write("big.npy", ArrayFile.npyHeader("|u1", [rows, 1_024]))
        let size = try #require(FileManager.default.attributesOfItem(atPath: bench.folder.path("big.npy"))[.size] as? Int)
        #expect(truncate(bench.folder.path("big.npy"), size + rows * 1_024) == 0)
        try bench.write("labels.npy", ArrayFile.npy([UInt8](repeating: 1, count: rows), shape: [rows]))
        let command = [
            "import", "dataset", "--store", bench.store, "--name", "big", "--inputs", bench.folder.path("big.npy"),
            "--targets", bench.folder.path("labels.npy"),
        ]
        let process = try InfluencedProcess(command)
        // In the middle: something has been written, and not all.
        let hasBegun = eventually(seconds: 60) {
            let log = try? FileManager.default.attributesOfItem(atPath: bench.store + "-wal")[.size] as? Int
            return log ?? 0 > 8 << 20 || process.poll() != nil
        }
        #expect(hasBegun)
        process.send(SIGKILL)
        #expect(try process.wait() == .signalled(SIGKILL))
        let server = try bench.serve()
        #expect(try server.get("/datasets/big").status == 404)
        #expect(try server.get("/datasets/good").status == 200)
        #expect(try bench.succeed("check").contains("whole"))

        let again = try InfluencedProcess(command)
        #expect(try again.wait(seconds: 120) == .exited(0))
        #expect(try server.get("/datasets/big").json["n"]?.integerValue == rows)
        #expect(try bench.succeed("check").contains("whole"))
    }
}
