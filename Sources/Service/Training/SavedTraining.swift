internal import Foundation
internal import JSON
internal import Networks
internal import Store

/// A training run as it is kept in a file: what it trains, on what, from where, and the run itself.
struct SavedTraining {
    /// What the file begins with.
    private static let title = Array("influenced training state, version 1\n".utf8)

    /// The model's spec, as it was given first.
    let spec: String
    /// The dataset's name, and the digest of its examples.
    let dataset: String
    let datasetDigest: String
    /// The digest of the initial parameters and of what is not trained.
    let startDigest: String
    var run: TrainingRun

    /// As bytes: a title, a line of JSON, the run, and the SHA-256 of all before it.
    var encoded: [UInt8] {
        let head: JSON = [
            "spec": .string(spec), "dataset": .string(dataset), "dataset_sha256": .string(datasetDigest),
            "start_sha256": .string(startDigest),
        ]
        let bytes = Self.title + head.serialized() + [UInt8(ascii: "\n")] + run.encoded()
        return bytes + ContentDigest(of: bytes).bytes
    }
}

extension SavedTraining {
    /// Why bytes are not a run that can be taken up.
    struct Unusable: Error {
        let reason: String
    }

    /// Takes a run from bytes, which may be anything.
    init(decoding bytes: [UInt8]) throws(Unusable) {
        guard bytes.starts(with: Self.title) else { throw Unusable(reason: "it is no training state of this version") }
        let content = bytes.dropLast(ContentDigest.byteCount)
        guard Data(bytes.suffix(ContentDigest.byteCount)) == ContentDigest(of: content).bytes else {
            throw Unusable(reason: "it is damaged: its checksum is another")
        }
        let rest = content.dropFirst(Self.title.count)
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")), let head = try? JSON(parsing: Array(rest[..<end])),
            let spec = head["spec"]?.stringValue, let dataset = head["dataset"]?.stringValue,
            let datasetDigest = head["dataset_sha256"]?.stringValue, let startDigest = head["start_sha256"]?.stringValue
        else { throw Unusable(reason: "it is damaged: its head says too little") }
        do throws(TrainingError) {
            run = try TrainingRun(decoding: Array(rest[(end + 1)...]))
        } catch {
            throw Unusable(reason: error.description)
        }
        // What has ended is not saved.
        guard run.stop == nil else { throw Unusable(reason: "it is damaged: its run has ended") }
        (self.spec, self.dataset, self.datasetDigest, self.startDigest) = (spec, dataset, datasetDigest, startDigest)
    }
}
