public import Formats
public import Foundation

/// A stored model.
public struct ModelRecord: Hashable, Sendable {
    /// Its name, unique in the store.
    public let name: String
    /// Its specification: JSON text, as it was given.
    public let spec: String
    /// The name of the dataset it was trained on.
    public let dataset: String
    /// When its first checkpoint was imported, to the second.
    public let createdAt: Date

    let id: Int64
}

/// A stored checkpoint: one set of a model's parameters, without their bytes.
public struct CheckpointRecord: Hashable, Sendable {
    /// The name of the model it belongs to.
    public let model: String
    /// Its name, unique in its model.
    public let name: String
    /// Its place among the model's checkpoints, in the order in which they were added, from 0. The highest is the latest.
    public let sequence: Int
    /// What was recorded of the training when it was taken.
    public let training: TrainingState
    /// Whether its parameters are stored. They are not where its gradients were computed elsewhere.
    public let hasTensors: Bool
    /// The identity of the parameters: a digest over each tensor's name, type, shape and bytes, in order. Without tensors it is
    /// the one that was given when the checkpoint was imported.
    public let sha256: ContentDigest
    /// When it was imported, to the second.
    public let createdAt: Date

    let id: Int64
}

/// How far training had come when a checkpoint was taken; each part is nil where it is not known.
public struct TrainingState: Hashable, Sendable {
    /// Optimizer steps made.
    public let step: Int?
    /// Passes made over the training data.
    public let epoch: Int?
    /// The learning rate at that time.
    public let learningRate: Double?
    /// The training loss at that time.
    public let trainLoss: Double?

    /// A training state of which any part may be unknown.
    public init(step: Int? = nil, epoch: Int? = nil, learningRate: Double? = nil, trainLoss: Double? = nil) {
        self.step = step
        self.epoch = epoch
        self.learningRate = learningRate
        self.trainLoss = trainLoss
    }
}

/// One tensor of a checkpoint, without its bytes.
public struct TensorRecord: Hashable, Sendable {
    /// Its name, unique in its checkpoint.
    public let name: String
    /// How each element is stored.
    public let elementType: ElementType
    /// Its extents, outermost first; empty for a scalar.
    public let shape: [Int]
    /// Elements in all.
    public let count: Int

    let id: Int64

    /// Bytes in all.
    public var byteCount: Int { count * elementType.byteCount }
}
