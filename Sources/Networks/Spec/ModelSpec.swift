public import LinearAlgebra

/// What a model is made of: the JSON that users write (the interface's "model spec"), understood.
public struct ModelSpec: Sendable, Equatable {
    /// Extents of one example; nil where the first layer implies them.
    public let inputShape: [Int]?
    /// What one element of an example is.
    public let inputType: InputType
    /// The layers, first to last.
    public let layers: [LayerSpec]
    /// What each example's loss is.
    public let loss: LossSpec
    /// The objective's L2 term is (`weightDecay`/2)·‖θ‖².
    public let weightDecay: Double

    /// What the elements of an example are.
    public enum InputType: String, Sendable {
        /// Numbers.
        case float32
        /// Token ids.
        case int32
    }

    /// Makes a spec of its parts.
    public init(
        inputShape: [Int]? = nil, inputType: InputType = .float32, layers: [LayerSpec], loss: LossSpec, weightDecay: Double
    ) {
        self.inputShape = inputShape
        self.inputType = inputType
        self.layers = layers
        self.loss = loss
        self.weightDecay = weightDecay
    }
}

/// One layer: what it does, what its tensors are called, and whether they are trained.
public struct LayerSpec: Sendable, Equatable {
    /// What its tensors are named after, where that is not its index.
    public let name: String?
    /// False for a frozen layer, whose parameters are not part of θ.
    public let isTrainable: Bool
    /// What it does.
    public let kind: Kind

    /// Makes a layer.
    public init(_ kind: Kind, name: String? = nil, isTrainable: Bool = true) {
        self.name = name
        self.isTrainable = isTrainable
        self.kind = kind
    }

    /// What layers do, under PyTorch's names and with its semantics.
    public indirect enum Kind: Sendable, Equatable {
        /// out = in · weightᵀ + bias over the last extent; weight [out_features, in_features].
        case linear(inFeatures: Int, outFeatures: Int, bias: Bool)
        /// Cross-correlation of [in_channels, H, W] with weight [out_channels, in_channels / groups, kernel height, kernel width].
        case conv2d(inChannels: Int, outChannels: Int, window: Window, groups: Int, bias: Bool)
        /// (in − running_mean) / √(running_var + eps) for each channel, times weight plus bias where `affine`.
        case batchNorm(dimensions: Int, features: Int, epsilon: Double, affine: Bool)
        /// The same over an example's own last extents, with its own mean and variance.
        case layerNorm(shape: [Int], epsilon: Double, affine: Bool, bias: Bool)
        /// A function of each number.
        case activation(ElementwiseFunction)
        /// The largest number of each window; `ceilMode` counts windows that hang over the end.
        case maxPool2d(Window, ceilMode: Bool)
        /// The mean of each window; padding is counted among its numbers where `countIncludePad`.
        case avgPool2d(Window, ceilMode: Bool, countIncludePad: Bool, divisor: Int?)
        /// The means of an even division into so many windows; nil keeps an extent.
        case adaptiveAvgPool2d(height: Int?, width: Int?)
        /// Makes each example one row of features.
        case flatten
        /// Nothing: models are explained as they predict, without dropout.
        case dropout
        /// in + layers(in).
        case residual([LayerSpec])
        /// The row of weight [num_embeddings, embedding_dim] for each token id; the padding id's row has no gradient.
        case embedding(count: Int, width: Int, padding: Int?)
        /// The mean of the rows of an example's token ids, padding ids left out.
        case meanEmbedding(count: Int, width: Int, padding: Int?)
    }

    /// A window that is moved over [H, W].
    public struct Window: Sendable, Equatable {
        /// Extents, steps, zeros at each side, and distances between the window's own elements, each as (height, width).
        public var kernel, stride, padding, dilation: Pair

        /// Makes a window.
        public init(kernel: Pair, stride: Pair = Pair(1), padding: Pair = Pair(0), dilation: Pair = Pair(1)) {
            self.kernel = kernel
            self.stride = stride
            self.padding = padding
            self.dilation = dilation
        }
    }

    /// Something for the height and the width.
    public struct Pair: Sendable, Equatable {
        /// For the height.
        public var height: Int
        /// For the width.
        public var width: Int

        /// One for each.
        public init(_ height: Int, _ width: Int) {
            self.height = height
            self.width = width
        }

        /// The same for both.
        public init(_ both: Int) { self.init(both, both) }
    }
}

/// A loss, of one example's outputs and its target.
public enum LossSpec: Sendable, Equatable {
    /// −Σ_c q_c log softmax(out)_c, where q is onehot(target), smoothed: (1 − ε)·onehot + ε/C.
    case crossEntropy(labelSmoothing: Double)
    /// log(1 + exp(out)) − target·out, of one output (a logit) and a target of 0 or 1.
    case binaryCrossEntropy
    /// (out − target)², of one output.
    case meanSquaredError
    /// t·log(1 + exp((1 − target·out)/t)), of one output and a target of −1 or 1 (Koh & Liang 2017, section 4.2): the hinge
    /// max(0, 1 − target·out) as t → 0.
    case smoothHinge(temperature: Double)
}
