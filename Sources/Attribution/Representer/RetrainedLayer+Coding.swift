internal import InverseCurvature
public import Networks

// A retrained layer as it is kept: little-endian, whatever the machine.
//
//     bytes 0..<8    "REPRPT01"
//     8..<56    n, the steps, D, C, whether there are biases (0 or 1), numbers in W and b; unsigned
//     56..<104    λ, ‖∇‖, and of the shift: changed labels, mean change, largest change, correlation; doubles, NaN for none
//     then W and b in single precision
//     last 8    a checksum of all before it
extension RetrainedLayer {
    private static let magic: UInt64 = 0x3130_5450_5250_4552
    private static let headerLength = 104

    /// The layer as bytes.
    public var encoded: [UInt8] {
        let parameters = network.parameters
        let (inputs, outputs) = (network.network.inputWidth, network.network.outputWidth)
        let numbers = [
            decay, gradientNorm, shift.changedLabels ?? .nan, shift.meanChange, shift.largestChange, shift.correlation ?? .nan,
        ]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerLength + 4 * parameters.count + 8)
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        append(Self.magic)
        let hasBias = parameters.count > inputs * outputs
        for count in [exampleCount, steps, inputs, outputs, hasBias ? 1 : 0, parameters.count] { append(UInt64(count)) }
        for number in numbers { append(number.bitPattern) }
        for number in parameters { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
        append(bytes.withUnsafeBytes { Checksum.of($0) })
        return bytes
    }

    /// A layer that was kept, of a model. They say of what sizes it is; that it is of these parameters and data is for the caller to know.
    /// - Throws: `RepresenterError.lastLayer`; `.damaged` where they are of something else, too few or too many, or changed.
    public init(decoding bytes: UnsafeRawBufferPointer, of model: Network) throws(RepresenterError) {
        let layer = try Self.layer(of: model)
        func word(_ offset: Int) -> UInt64 { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        func number(_ offset: Int) -> Double { Double(bitPattern: word(offset)) }
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(RepresenterError) {
            guard condition else { throw .damaged(reason: reason()) }
        }
        let length = Self.headerLength + 4 * layer.parameterCount + 8
        try require(bytes.count >= Self.headerLength + 8 && word(0) == Self.magic, "they do not begin as one does")
        try require(
            word(24) == UInt64(layer.inputs) && word(32) == UInt64(layer.outputs) && word(40) == (layer.hasBias ? 1 : 0)
                && word(48) == UInt64(layer.parameterCount),
            "it has \(word(24)) inputs and \(word(32)) outputs, and the model's last layer \(layer.inputs) and \(layer.outputs)")
        try require(bytes.count == length, "it takes \(length) bytes, and there are \(bytes.count)")
        try require(
            word(length - 8) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<(length - 8)])), "the checksum is another")
        let parameters = (0..<layer.parameterCount).map { i in
            let offset = Self.headerLength + 4 * i
            return Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
        let numbers = (0..<6).map { number(56 + 8 * $0) }
        try require(
            parameters.allSatisfy(\.isFinite) && [0, 1, 3, 4].allSatisfy { numbers[$0].isFinite && numbers[$0] >= 0 }
                && word(8) > 0 && word(8) <= UInt64(UInt32.max) && word(16) <= UInt64(UInt32.max),
            "there are numbers among them that no layer has")
        do {
            network = try Self.network(
                of: layer, loss: model.loss, decay: Self.decay(numbers[0], of: model), parameters: parameters)
        } catch {
            throw .damaged(reason: "\(numbers[0]) is no L2 strength")
        }
        (exampleCount, steps, gradientNorm) = (Int(word(8)), Int(word(16)), numbers[1])
        shift = OutputShift(
            changedLabels: numbers[2].isNaN ? nil : numbers[2], meanChange: numbers[3], largestChange: numbers[4],
            correlation: numbers[5].isNaN ? nil : numbers[5])
    }

    /// The same of an array.
    /// - Throws: as there.
    public init(decoding bytes: [UInt8], of model: Network) throws(RepresenterError) {
        let result: Result<RetrainedLayer, RepresenterError> = bytes.withUnsafeBytes { bytes in
            do throws(RepresenterError) { return .success(try RetrainedLayer(decoding: bytes, of: model)) } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }
}
