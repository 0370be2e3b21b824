import Attribution
import Formats
import Foundation
import LinearAlgebra
import Networks

/// FastIF's first stage, the training examples nearest to a test, over 392,702 rows of 768 floats: beside faiss and scikit-learn, and beside
/// the scores of all rows that it is to save.
enum NeighborRatios {
    /// - Parameters:
    ///   - data: the folder of `peers_c.py`'s data.
    ///   - script: `neighbors_peer.py`.
    static func run(data: String, script: String, _ parallel: Parallel) throws {
        let path = data + "/data/fastif_X.npy"
        guard FileManager.default.fileExists(atPath: path) else {
            print("\nthe data of PEERS_HOME is not here: neighbours are skipped")
            return
        }
        let features = try rows(of: path)
        let tests = try TensorFile.read(path: data + "/fixtures/fastif-head/X_test20.npy").floats()
        let queries = (0..<16).map { Array(tests[$0 * features.width..<($0 + 1) * features.width]) }
        let directions = Array(tests[..<(3 * features.width)])
        // What is known of the rows for all queries.
        _ = try features.squaredNorms(parallel: parallel, interruption: .never)
        let peer = try Ratios.peer(script, data: data)
        var cases = Interleaved()
        let asked = [(1_000, 1), (10_000, 1), (1_000, 16)]
        for (k, count) in asked {
            cases.add("ours, \(k) of \(count)") {
                _ = try NearestNeighbors.nearest(
                    to: Array(queries[..<count]), in: features, count: k, parallel: parallel)
            }
        }
        // Whatever their residuals are.
        let gradients = FactoredGradients(
            model: SoftmaxRegression(inputWidth: features.width, classCount: 3, hasBias: false), features: features,
            residuals: [Float](repeating: 0.1, count: 3 * features.count))
        cases.add("scores of all rows by a softmax head") {
            _ = try gradients.scores(along: directions, parallel: parallel)
        }
        var others: [String] = []
        for name in asked.map({ "faiss, \($0) of \($1)" }) + ["sklearn, 1000 of 1"] {
            guard let peer, try peer.milliseconds(name) >= 0 else { continue }
            others.append(name)
            cases.addMeasured(name) { try peer.milliseconds(name) }
        }
        try cases.run(rounds: 5)
        print("\nthe nearest of \(features.count) rows of \(features.width) floats: so many, of so many tests")
        cases.report()
        for name in others {
            let ours = "ours, " + (name.split(separator: ",").last?.dropFirst() ?? "")
            Ratios.ratio("\(name) / \(ours)", cases[name], cases[ours], atLeast: 1)
        }
    }

    private static func rows(of path: String) throws -> FeatureRows {
        let tensor = try TensorFile.read(path: path)
        let memory = AlignedMemory<Float>(uninitialized: tensor.count)
        tensor.bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(memory.elements).copyMemory(from: $0) }
        return FeatureRows(.float32(memory), count: tensor.shape[0], width: tensor.shape[1], multiplier: 1)
    }
}
