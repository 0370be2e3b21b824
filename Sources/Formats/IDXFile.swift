public import Foundation

/// The idx format of MNIST: two zero bytes, a type code, the number of extents, the extents as big-endian 32-bit integers, and
/// the elements, big-endian too (described by LeCun, Cortes and Burges with the MNIST database).
public enum IDXFile {
    private static let elementTypes: [UInt8: ElementType] = [
        0x08: .uint8, 0x09: .int8, 0x0B: .int16, 0x0C: .int32, 0x0D: .float32, 0x0E: .float64,
    ]

    /// Whether the bytes begin as an idx file does.
    static func isIDX(_ bytes: Data) -> Bool {
        let start = Array(bytes.prefix(4))
        return start.count == 4 && start[0] == 0 && start[1] == 0 && elementTypes[start[2]] != nil && start[3] > 0
    }

    /// The array in the bytes of an idx file. Elements of one byte are not copied.
    /// - Parameters:
    ///   - bytes: the whole file, decompressed.
    ///   - file: its name, for errors.
    /// - Throws: where the header is not right, or the bytes are fewer or more than it declares.
    public static func decode(_ bytes: Data, file: String) throws(FormatError) -> Tensor {
        var cursor = ByteCursor(bytes, file: file)
        let (elementType, shape) = try header(&cursor)
        let tensor = try cursor.tensor(elementType, shape: shape)
        return Tensor(unchecked: elementType, shape, ElementOrder.byteSwapped(tensor.bytes, width: elementType.byteCount))
    }

    /// The most bytes that a right idx file has which begins with `start`; 0 if there is none.
    static func bound(_ start: Data) -> Int {
        var cursor = ByteCursor(start, file: "")
        guard let (elementType, shape) = try? header(&cursor) else { return 0 }
        return cursor.bound(elementType, shape: shape)
    }

    private static func header(_ cursor: inout ByteCursor) throws(FormatError) -> (ElementType, shape: [Int]) {
        guard try cursor.littleEndian(UInt16.self, "the magic number") == 0 else {
            throw cursor.error("this is not an idx file: it does not begin with two zero bytes")
        }
        let code = try cursor.littleEndian(UInt8.self, "the magic number")
        guard let elementType = elementTypes[code] else {
            throw cursor.error("the type code 0x\(String(code, radix: 16)) is not one of idx: 0x8, 0x9, 0xb, 0xc, 0xd, 0xe")
        }
        let axes = try cursor.littleEndian(UInt8.self, "the magic number")
        guard axes > 0 else { throw cursor.error("the idx header declares no extents") }
        var shape: [Int] = []
        for _ in 0..<axes { shape.append(Int(try cursor.bigEndian(UInt32.self, "an extent"))) }
        return (elementType, shape)
    }
}
