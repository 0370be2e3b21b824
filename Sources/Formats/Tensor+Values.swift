import Foundation

#if _endian(big)
    #error("Tensors hold little-endian elements and are read as they are: this needs a little-endian machine.")
#endif

extension Tensor {
    /// The elements as single-precision numbers: wider ones are rounded to the nearest, booleans are 0 and 1. O(n).
    /// - Throws: at the first element that is NaN, infinite or beyond single precision.
    public func floats() throws(TensorError) -> [Float] {
        let values: [Float] =
            switch elementType {
            case .float32: map(Float.self) { $0 }
            case .float64: map(Double.self) { Float($0) }
            case .float16: map(UInt16.self) { Self.float(half: $0) }
            case .bfloat16: map(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
            case .bool, .uint8: map(UInt8.self) { Float($0) }
            case .int8: map(Int8.self) { Float($0) }
            case .int16: map(Int16.self) { Float($0) }
            case .uint16: map(UInt16.self) { Float($0) }
            case .int32: map(Int32.self) { Float($0) }
            case .uint32: map(UInt32.self) { Float($0) }
            case .int64: map(Int64.self) { Float($0) }
            case .uint64: map(UInt64.self) { Float($0) }
            }
        try check(values) { Double($0) }
        return values
    }

    /// The elements as double-precision numbers; exact but for integers beyond 2⁵³, which are rounded to the nearest. O(n).
    /// - Throws: at the first element that is NaN or infinite.
    public func doubles() throws(TensorError) -> [Double] {
        let values: [Double] =
            switch elementType {
            case .float64: map(Double.self) { $0 }
            case .float32: map(Float.self) { Double($0) }
            case .float16: map(UInt16.self) { Double(Self.float(half: $0)) }
            case .bfloat16: map(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
            case .bool, .uint8: map(UInt8.self) { Double($0) }
            case .int8: map(Int8.self) { Double($0) }
            case .int16: map(Int16.self) { Double($0) }
            case .uint16: map(UInt16.self) { Double($0) }
            case .int32: map(Int32.self) { Double($0) }
            case .uint32: map(UInt32.self) { Double($0) }
            case .int64: map(Int64.self) { Double($0) }
            case .uint64: map(UInt64.self) { Double($0) }
            }
        try check(values) { $0 }
        return values
    }

    /// The elements as integers, as targets and token ids are; numbers with a fraction part of 0 count as integers. O(n).
    /// - Throws: at the first element that is no integer or does not fit `Int`.
    public func integers() throws(TensorError) -> [Int] {
        let values: [Int?] =
            switch elementType {
            case .bool, .uint8: map(UInt8.self) { Int($0) }
            case .int8: map(Int8.self) { Int($0) }
            case .int16: map(Int16.self) { Int($0) }
            case .uint16: map(UInt16.self) { Int($0) }
            case .int32: map(Int32.self) { Int($0) }
            case .uint32: map(UInt32.self) { Int($0) }
            case .int64: map(Int64.self) { Int($0) }
            case .uint64: map(UInt64.self) { Int(exactly: $0) }
            case .float16, .bfloat16, .float32, .float64: try doubles().map { Int(exactly: $0) }
            }
        try checkBooleans()
        var integers: [Int] = []
        integers.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let value else {
                throw TensorError("\(place(of: index)) is \(stored(at: index)), not an integer that fits 64 bits")
            }
            integers.append(value)
        }
        return integers
    }
}

extension Tensor {
    /// Every element as it is stored, converted. Elements need not be aligned in the file.
    private func map<Stored: BitwiseCopyable, Value>(_: Stored.Type, _ convert: (Stored) -> Value) -> [Value] {
        let count = count
        return bytes.withUnsafeBytes { source in
            [Value](unsafeUninitializedCapacity: count) { target, initializedCount in
                for index in 0..<count {
                    let offset = index * MemoryLayout<Stored>.size
                    target.initializeElement(
                        at: index, to: convert(source.loadUnaligned(fromByteOffset: offset, as: Stored.self)))
                }
                initializedCount = count
            }
        }
    }

    private func check<Value>(_ values: [Value], _ double: (Value) -> Double) throws(TensorError) {
        try checkBooleans()
        guard elementType.isFloatingPoint, let index = values.firstIndex(where: { !double($0).isFinite }) else { return }
        let stored = stored(at: index)
        if stored.isFinite { throw TensorError("\(place(of: index)) is \(stored), beyond single precision") }
        throw TensorError("\(place(of: index)) is \(stored.isNaN ? "NaN" : "infinite"); every number must be finite")
    }

    private func checkBooleans() throws(TensorError) {
        guard elementType == .bool, let offset = bytes.firstIndex(where: { $0 > 1 }) else { return }
        throw TensorError("\(place(of: offset - bytes.startIndex)) is the byte \(bytes[offset]); a boolean is 0 or 1")
    }

    /// An element as a number, for messages.
    private func stored(at index: Int) -> Double {
        let offset = index * elementType.byteCount
        return bytes.withUnsafeBytes { source in
            switch elementType {
            case .float64: source.loadUnaligned(fromByteOffset: offset, as: Double.self)
            case .float32: Double(source.loadUnaligned(fromByteOffset: offset, as: Float.self))
            case .float16: Double(Self.float(half: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
            case .bfloat16: Double(Float(bitPattern: UInt32(source.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) << 16))
            case .uint64: Double(source.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            default: .nan
            }
        }
    }

    /// "element 17 (at [2, 3])".
    private func place(of index: Int) -> String {
        guard shape.count > 1 else { return "element \(index)" }
        var rest = index
        var indices: [Int] = []
        for extent in shape.reversed() {
            indices.append(rest % extent)
            rest /= extent
        }
        return "element \(index) (at \(Array(indices.reversed())))"
    }

    /// IEEE 754 binary16: exact in single precision.
    private static func float(half: UInt16) -> Float { Float(Float16(bitPattern: half)) }
}
