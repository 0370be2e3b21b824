import Formats
import Foundation
import Testing

/// The reference files that stand beside the package where it is developed.
enum ReferenceFiles {
    static let shared = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("shared")
    static let exist = FileManager.default.fileExists(atPath: shared.appendingPathComponent("fixtures").path)

    static func path(_ relative: String) -> String { shared.appendingPathComponent(relative).path }

    /// Every file below the fixtures with this extension.
    static func all(_ pathExtension: String) -> [String] {
        let found = FileManager.default.enumerator(at: shared.appendingPathComponent("fixtures"), includingPropertiesForKeys: nil)
        return (found?.compactMap { ($0 as? URL)?.path } ?? []).filter { $0.hasSuffix(".\(pathExtension)") }.sorted()
    }

    static var models: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path("fixtures/models")).sorted()) ?? []
    }
}

@Suite("Reference files", .enabled(if: ReferenceFiles.exist, "the folder of reference files is not beside the package"))
struct ReferenceFileTests {
    @Test("every .npy file is read, and all its numbers are finite")
    func arrays() throws {
        let paths = ReferenceFiles.all("npy")
        #expect(paths.count == 197)
        for path in paths {
            let tensor = try TensorFile.read(path: path)
            #expect(tensor.shape.reduce(1, *) == tensor.count)
            #expect([.float32, .float64, .int32, .int64].contains(tensor.elementType))
            if tensor.count < 100_000 { #expect(try tensor.doubles().count == tensor.count) }
        }
    }

    @Test("shapes are the known ones")
    func shapes() throws {
        let known: [(String, ElementType, [Int])] = [
            ("mnist-softmax/scores.npy", .float32, [10, 55000]), ("mnist-softmax/s_test.npy", .float32, [10, 7840]),
            ("mnist-softmax/loo_idx.npy", .int64, [30]), ("mnist-softmax/y_test.npy", .int32, [10]),
            ("mnist-mlp/hvp_in.npy", .float32, [101_770]),
            ("mnist-mlp/tracincp_scores.npy", .float32, [2, 55000]), ("models/iris-softmax/scores.npy", .float64, [30, 120]),
            ("models/digits-cnn/train_inputs.npy", .float32, [600, 1, 8, 8]),
            ("models/tokens-embedding/train_inputs.npy", .int32, [350, 12]),
        ]
        for (name, type, shape) in known {
            let tensor = try TensorFile.read(path: ReferenceFiles.path("fixtures/\(name)"))
            #expect(tensor.elementType == type)
            #expect(tensor.shape == shape)
        }
    }

    @Test("the arrays of a model agree in their extents", arguments: ReferenceFiles.models)
    func models(name: String) throws {
        func shape(_ file: String) throws -> [Int] {
            try TensorFile.read(path: ReferenceFiles.path("fixtures/models/\(name)/\(file).npy")).shape
        }
        let p = try shape("flat")[0]
        let n = try shape("train_targets")[0]
        let t = try shape("test_targets")[0]
        #expect(try shape("hvp") == [3, p])
        #expect(try shape("train_gradients") == [16, p])
        #expect(try shape("s_test") == [t, p])
        #expect(try shape("scores") == [t, n])
        #expect(try shape("self_influence") == [n])
    }

    @Test("every safetensors file is read; the parameters are those of the flat vector, bit by bit")
    func safetensors() throws {
        let paths = ReferenceFiles.all("safetensors")
        #expect(paths.count == 14)
        for path in paths {
            let file = try SafetensorsFile(path: path)
            for name in file.names { #expect(try file.tensor(named: name).floats().isEmpty == false) }
        }
        let model = try SafetensorsFile(path: ReferenceFiles.path("fixtures/models/iris-mlp/model.safetensors"))
        #expect(Set(model.names) == ["0.weight", "0.bias", "2.weight", "2.bias"])
        let parameters = try ["0.weight", "0.bias", "2.weight", "2.bias"].flatMap { try model.tensor(named: $0).doubles() }
        #expect(try TensorFile.read(path: ReferenceFiles.path("fixtures/models/iris-mlp/flat.npy")).doubles() == parameters)
        let softmax = try SafetensorsFile(path: ReferenceFiles.path("fixtures/mnist-softmax/model.safetensors"))
        #expect(try softmax.tensor(named: "linear.weight").shape == [10, 784])
        #expect(softmax.metadata == ["lambda": "0.01", "bias": "none"])
    }

    @Test("MNIST is read from gzipped idx: 60,000 and 10,000 images and labels, each digit as often as it is known to be there")
    func mnist() throws {
        func read(_ name: String) throws -> Tensor {
            try TensorFile.read(path: ReferenceFiles.path("data/mnist/\(name)-ubyte.gz"))
        }
        let images = try read("train-images-idx3")
        #expect(images.shape == [60000, 28, 28])
        #expect(images.elementType == .uint8)
        #expect(try read("t10k-images-idx3").shape == [10000, 28, 28])
        let labels = try read("train-labels-idx1").integers()
        #expect(labels.prefix(10) == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
        let counts = labels.reduce(into: Array(repeating: 0, count: 10)) { $0[$1] += 1 }
        #expect(counts == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
        #expect(try read("t10k-labels-idx1").integers().prefix(5) == [7, 2, 1, 0, 4])
        let few = try images.rows(0..<100).floats()
        #expect(few.min() == 0 && few.max() == 255)
    }
}
