/// Looks through the weights of examples, which are raw little-endian `float32` numbers.
enum WeightScan {
    /// The position of the first weight that is negative, NaN or infinite; nil if there is none. No alignment is needed.
    ///
    /// - Complexity: O(bytes.count).
    static func firstUnusable(in bytes: UnsafeRawBufferPointer) -> Int? {
        (0..<bytes.count / 4).first { position in
            let weight = weight(position, bytes)
            return !(weight >= 0 && weight.isFinite)
        }
    }

    /// Whether some weight is above 0.
    ///
    /// - Complexity: O(bytes.count).
    static func hasPositive(in bytes: UnsafeRawBufferPointer) -> Bool {
        (0..<bytes.count / 4).contains { weight($0, bytes) > 0 }
    }

    private static func weight(_ position: Int, _ bytes: UnsafeRawBufferPointer) -> Float {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position * 4, as: UInt32.self)))
    }
}
