public import Foundation

/// Arrays as the files that other programs write: just enough of each format to make good samples.
///
/// It shares nothing with the readers under test.
public enum ArrayFile {
    /// A .npy file of float32.
    public static func npy(_ values: [Float], shape: [Int]) -> Data {
        npy("<f4", shape, bytes(values.map { $0.bitPattern.littleEndian }))
    }

    /// A .npy file of int64.
    public static func npy(_ values: [Int], shape: [Int]) -> Data {
        npy("<i8", shape, bytes(values.map { Int64($0).littleEndian }))
    }

    /// A .npy file of uint8.
    public static func npy(_ values: [UInt8], shape: [Int]) -> Data { npy("|u1", shape, Data(values)) }

    /// A .npy file (format version 1.0) of an element type as NumPy writes it, row-major.
    public static func npy(_ descr: String, _ shape: [Int], _ contents: Data) -> Data { npyHeader(descr, shape) + contents }

    /// What stands before the elements of a .npy file.
    public static func npyHeader(_ descr: String, _ shape: [Int]) -> Data {
        let extents = shape.map { "\($0)," }.joined(separator: " ")
        var header = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(extents)), }"
        // The elements begin at a multiple of 64.
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        return Data([0x93]) + Data("NUMPY".utf8) + [1, 0] + littleEndian(UInt16(header.utf8.count)) + Data(header.utf8)
    }

    /// An idx file of unsigned bytes.
    public static func idx(_ values: [UInt8], shape: [Int]) -> Data {
        shape.reduce(Data([0, 0, 8, UInt8(shape.count)])) { $0 + bytes([UInt32($1).bigEndian]) } + Data(values)
    }

    /// A CSV file with a header.
    public static func csv(_ columns: [String], _ rows: [[String]]) -> Data {
        Data(([columns] + rows).map { $0.joined(separator: ",") + "\n" }.joined().utf8)
    }

    /// A safetensors file of float32 tensors.
    public static func safetensors(_ tensors: [(name: String, values: [Float], shape: [Int])]) -> Data {
        var entries: [String] = []
        var contents = Data()
        for (name, values, shape) in tensors {
            let start = contents.count
            contents += bytes(values.map { $0.bitPattern.littleEndian })
            entries.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(start),\#(contents.count)]}"#)
        }
        var header = "{" + entries.joined(separator: ",") + "}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        return littleEndian(UInt64(header.utf8.count)) + Data(header.utf8) + contents
    }

    /// A gzip member that holds `contents` in stored blocks (RFC 1951 section 3.2.4, RFC 1952).
    public static func gzip(_ contents: Data) -> Data {
        var blocks = Data()
        var rest = contents[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            blocks += [rest.isEmpty ? 1 : 0] + littleEndian(UInt16(block.count)) + littleEndian(~UInt16(block.count)) + block
        } while !rest.isEmpty
        return Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]) + blocks + littleEndian(checksum(contents))
            + littleEndian(UInt32(truncatingIfNeeded: contents.count))
    }

    /// A .npz file: a ZIP archive of stored .npy files, named without their extension here.
    public static func npz(_ arrays: [(name: String, npy: Data)]) -> Data {
        var archive = Data()
        var directory = Data()
        for (name, contents) in arrays {
            let file = Data((name + ".npy").utf8)
            let sizes =
                littleEndian(checksum(contents)) + littleEndian(UInt32(contents.count)) + littleEndian(UInt32(contents.count))
            let described = Data(count: 8) + sizes + littleEndian(UInt16(file.count)) + Data(count: 2)
            let offset = littleEndian(UInt32(archive.count))
            archive += Data([0x50, 0x4B, 3, 4, 20, 0]) + described + file + contents
            directory += Data([0x50, 0x4B, 1, 2, 20, 0, 20, 0]) + described + Data(count: 10) + offset + file
        }
        let count = littleEndian(UInt16(arrays.count))
        return archive + directory + Data([0x50, 0x4B, 5, 6]) + Data(count: 4) + count + count
            + littleEndian(UInt32(directory.count)) + littleEndian(UInt32(archive.count)) + Data(count: 2)
    }

    /// The bytes of an integer, least significant first.
    public static func littleEndian(_ integer: some FixedWidthInteger & BitwiseCopyable) -> Data { bytes([integer.littleEndian]) }

    /// CRC-32 as ZIP and gzip use it.
    private static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(~0) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
    }

    private static func bytes(_ values: [some BitwiseCopyable]) -> Data { values.withUnsafeBytes { Data($0) } }
}
