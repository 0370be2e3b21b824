import Foundation
import JSON
import TestSupport
import Testing

/// Models that the program trains itself against those that PyTorch has trained to the same minimum.
@Suite("Training again", .enabled(if: Fixtures.isAvailable, Fixtures.absence))
struct TrainReferenceTests {
    /// The elements of a .npy file of eight bytes each.
    private func words(_ file: String, _ type: String) throws -> [UInt64] {
        let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path(file)))
        let header = 10 + Int(data[8]) + Int(data[9]) << 8
        try #require(String(decoding: data[..<header], as: UTF8.self).contains("'\(type)'"))
        return data.dropFirst(header).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 8).map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
            }
        }
    }

    private func doubles(_ file: String) throws -> [Double] { try words(file, "<f8").map { Double(bitPattern: $0) } }

    private func integers(_ file: String) throws -> [Int] { try words(file, "<i8").map { Int($0) } }

    /// The losses of a dataset's rows.
    private func losses(_ server: InfluencedServer, _ model: String, _ dataset: String, _ rows: [Int]) throws -> [Double] {
        var losses: [Double] = []
        for start in stride(from: 0, to: rows.count, by: 16) {
            let tests = rows[start..<min(start + 16, rows.count)].map { row in
                JSON.object(["dataset": .string(dataset), "index": .integer(row)])
            }
            losses += try server.predict(["model": .string(model), "tests": .array(tests)]).results.map {
                try $0.number("loss")
            }
        }
        return losses
    }

    @Test("small convex models have PyTorch's losses on every example", arguments: ["iris-softmax", "iris-logistic"])
    func small(name: String) throws {
        let bench = try Workbench()
        let folder = Fixtures.path("fixtures/models/\(name)") + "/"
        for kind in ["train", "test"] {
            try bench.succeed(
                "import", "dataset", "--name", kind, "--inputs", folder + "\(kind)_inputs.npy", "--targets",
                folder + "\(kind)_targets.npy")
        }
        try bench.succeed("train", "--name", "m", "--spec", folder + "spec.json", "--dataset", "train", "--gradient-norm", "1e-6")
        let server = try bench.serve()
        for kind in ["train", "test"] {
            let expected = try doubles("fixtures/models/\(name)/\(kind)_loss.npy")
            let losses = try losses(server, "m", kind, Array(expected.indices))
            #expect(Closeness.largestError(losses, expected) < 1e-4)
        }
    }

    @Test("softmax regression on MNIST has PyTorch's losses on unseen digits")
    func mnist() throws {
        let bench = try Workbench()
        let data = Fixtures.path("data/mnist") + "/"
        for (name, file, rows) in [("train", "train", "5000:60000"), ("test", "t10k", "0:10000")] {
            try bench.succeed(
                "import", "dataset", "--name", name, "--inputs", data + "\(file)-images-idx3-ubyte.gz", "--targets",
                data + "\(file)-labels-idx1-ubyte.gz", "--rows", rows, "--divide-by", "255")
        }
        let spec = Fixtures.path("fixtures/mnist-softmax/spec.json")
        let process = try InfluencedProcess([
            "train", "--store", bench.store, "--name", "m", "--spec", spec, "--dataset", "train", "--gradient-norm", "1e-6",
        ])
        #expect(try process.wait(seconds: 600) == .exited(0))
        #expect(process.standardOutput.contains("as asked"))
        let rows = try integers("fixtures/mnist-softmax/test_idx.npy")
        let expected = try doubles("fixtures/mnist-softmax/test_loss.npy")
        try #require(rows.count == expected.count)
        #expect(try Closeness.largestError(losses(bench.serve(), "m", "test", rows), expected) < 1e-4)
    }
}
