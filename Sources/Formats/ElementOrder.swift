import Foundation

/// Brings foreign byte and element orders into those of ``Tensor``. Each function copies.
enum ElementOrder {
    /// Elements of `width` bytes with the bytes of each reversed: big-endian to little-endian.
    static func byteSwapped(_ bytes: Data, width: Int) -> Data {
        switch width {
        case 2: byteSwapped(bytes, UInt16.self)
        case 4: byteSwapped(bytes, UInt32.self)
        case 8: byteSwapped(bytes, UInt64.self)
        default: bytes
        }
    }

    private static func byteSwapped<Word: FixedWidthInteger & BitwiseCopyable>(_ bytes: Data, _: Word.Type) -> Data {
        var output = Data(count: bytes.count)
        output.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                for offset in stride(from: 0, to: source.count, by: MemoryLayout<Word>.size) {
                    let word = source.loadUnaligned(fromByteOffset: offset, as: Word.self)
                    target.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: Word.self)
                }
            }
        }
        return output
    }

    /// The elements of an array in column-major order (first index fastest, as Fortran has it), in row-major order.
    /// - Parameters:
    ///   - bytes: as many bytes as `shape` has elements of `width` bytes.
    ///   - shape: the extents, outermost first.
    static func rowMajor(_ bytes: Data, shape: [Int], width: Int) -> Data {
        guard shape.count > 1, !bytes.isEmpty else { return bytes }
        return switch width {
        case 1: rowMajor(bytes, shape, UInt8.self)
        case 2: rowMajor(bytes, shape, UInt16.self)
        case 4: rowMajor(bytes, shape, UInt32.self)
        default: rowMajor(bytes, shape, UInt64.self)
        }
    }

    private static func rowMajor<Word: BitwiseCopyable>(_ bytes: Data, _ shape: [Int], _: Word.Type) -> Data {
        let width = MemoryLayout<Word>.size
        var strides: [Int] = []
        for axis in shape.indices { strides.append(axis == 0 ? 1 : strides[axis - 1] * shape[axis - 1]) }
        var output = Data(count: bytes.count)
        output.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                var index = Array(repeating: 0, count: shape.count)
                var element = 0
                for offset in stride(from: 0, to: target.count, by: width) {
                    let word = source.loadUnaligned(fromByteOffset: element * width, as: Word.self)
                    target.storeBytes(of: word, toByteOffset: offset, as: Word.self)
                    // To the next element in row-major order, as an odometer: the last index counts, carrying to the left.
                    for axis in shape.indices.reversed() {
                        index[axis] += 1
                        element += strides[axis]
                        if index[axis] < shape[axis] { break }
                        element -= strides[axis] * shape[axis]
                        index[axis] = 0
                    }
                }
            }
        }
        return output
    }
}
