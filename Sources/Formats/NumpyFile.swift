public import Foundation

/// NumPy's .npy: a magic string, a version, a header that says what follows, and the elements (NumPy Enhancement Proposal 1).
public enum NumpyFile {
    /// The first bytes of every .npy file: 0x93, "NUMPY".
    static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

    /// The longest header accepted. That of the largest array NumPy can make takes some 1500 bytes.
    private static let headerLimit = 65_536

    /// The array in the bytes of a .npy file, format versions 1 to 3.
    ///
    /// Little-endian arrays in row-major order are not copied; big-endian ones and those in Fortran order are, into ours.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: its name, for errors.
    ///   - part: the member of the archive that it is, for errors.
    /// - Throws: where the header is not right, elements are not numbers, or the bytes are fewer or more than the header
    ///   declares.
    public static func decode(_ bytes: Data, file: String, part: String? = nil) throws(FormatError) -> Tensor {
        var cursor = ByteCursor(bytes, file: file, part: part)
        let header = try header(&cursor)
        let tensor = try cursor.tensor(header.elementType, shape: header.shape)
        var elements = tensor.bytes
        let width = header.elementType.byteCount
        if header.isBigEndian { elements = ElementOrder.byteSwapped(elements, width: width) }
        if header.isFortranOrder { elements = ElementOrder.rowMajor(elements, shape: header.shape, width: width) }
        return Tensor(unchecked: header.elementType, header.shape, elements)
    }

    /// The most bytes that a right .npy file has which begins with `start`; 0 if there is none.
    static func bound(_ start: Data) -> Int {
        var cursor = ByteCursor(start, file: "")
        guard let header = try? header(&cursor) else { return 0 }
        return cursor.bound(header.elementType, shape: header.shape)
    }

    private static func header(_ cursor: inout ByteCursor) throws(FormatError) -> NumpyHeader {
        guard try cursor.take(magic.count, "the magic string").elementsEqual(magic) else {
            throw cursor.error("this is not a .npy file")
        }
        let major = try cursor.littleEndian(UInt8.self, "the version")
        let minor = try cursor.littleEndian(UInt8.self, "the version")
        guard (1...3).contains(major), minor == 0 else {
            throw cursor.error("version \(major).\(minor) of the .npy format is unknown; 1.0, 2.0 and 3.0 are known")
        }
        let length =
            major == 1
            ? Int(try cursor.littleEndian(UInt16.self, "the header's length"))
            : Int(try cursor.littleEndian(UInt32.self, "the header's length"))
        guard length <= headerLimit else {
            throw cursor.error("a header of \(length) bytes; there may be at most \(headerLimit)")
        }
        return try NumpyHeader(parsing: cursor.take(length, "the header"), file: cursor.file, part: cursor.part)
    }

    /// The bytes of a .npy file (version 1.0, or 2.0 if the header needs it) with the elements of `tensor`.
    ///
    /// NumPy has no bfloat16: such elements are written as float32, which holds them exactly.
    public static func encode(_ tensor: Tensor) -> Data {
        let isWidened = tensor.elementType == .bfloat16
        let type = isWidened ? ElementType.float32 : tensor.elementType
        let code = NumpyHeader.codes.first { $0.0 == type }?.code ?? "f4"
        let extents = tensor.shape.map(\.description).joined(separator: ", ")
        let shape = tensor.shape.count == 1 ? "(\(extents),)" : "(\(extents))"
        var header = "{'descr': '\(type.byteCount == 1 ? "|" : "<")\(code)', 'fortran_order': False, 'shape': \(shape), }"
        // Magic, version, length and header together fill a multiple of 64 bytes, the last of them a line feed.
        let isLong = header.utf8.count + 11 > Int(UInt16.max) - 64
        let prefix = magic.count + (isLong ? 6 : 4)
        let padding = (64 - (prefix + header.utf8.count + 1) % 64) % 64
        header += String(repeating: " ", count: padding) + "\n"

        var bytes = Data(magic)
        bytes.append(contentsOf: isLong ? [2, 0] : [1, 0])
        for shift in 0..<(isLong ? 4 : 2) { bytes.append(UInt8(truncatingIfNeeded: header.utf8.count >> (8 * shift))) }
        bytes.append(contentsOf: header.utf8)
        if isWidened {
            for pair in stride(from: tensor.bytes.startIndex, to: tensor.bytes.endIndex, by: 2) {
                bytes.append(contentsOf: [0, 0, tensor.bytes[pair], tensor.bytes[pair + 1]])
            }
        } else {
            bytes.append(tensor.bytes)
        }
        return bytes
    }
}
