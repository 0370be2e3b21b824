import Formats
import Foundation
import TestSupport
import Testing

@Suite("Flat files")
struct FlatFileTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func write(_ bytes: Data) throws -> String {
        let path = folder.path("gradients.bin")
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    private func refusal(_ bytes: Data, _ shape: [Int], _ type: ElementType = .float32) -> String? {
        #expect(throws: FormatError.self) {
            try FlatFile.decode(bytes, shape: shape, elementType: type, file: "g.bin")
        }?.description
    }

    @Test("elements of every type come back in the shape that is given", arguments: ElementType.allCases)
    func types(type: ElementType) throws {
        let bytes = Data((0..<6 * type.byteCount).map { UInt8($0 % 2) })
        for shape in [[2, 3], [6], [3, 1, 2]] {
            let tensor = try FlatFile.read(path: write(bytes), shape: shape, elementType: type)
            #expect(tensor.elementType == type)
            #expect(tensor.shape == shape)
            #expect(tensor.bytes == bytes)
        }
    }

    @Test("numbers are read as numpy.memmap left them")
    func values() throws {
        let halves: [UInt16] = [0x3C00, 0xC000, 0x0001, 0x7BFF]
        let path = try write(halves.withUnsafeBytes { Data($0) })
        let tensor = try FlatFile.read(path: path, shape: [2, 2], elementType: .float16)
        #expect(try tensor.floats() == [1, -2, 0x1p-24, 65504])
        #expect(try tensor.rows(1..<2).floats() == [0x1p-24, 65504])
    }

    @Test("a file of another length is refused with the shapes and types that it would fit")
    func wrongLength() {
        let begin = "g.bin: shape [4, 3] of float32 takes 48 bytes, but the file has"
        #expect(refusal(Data(count: 60), [4, 3]) == "\(begin) 60: it would fit shape [5, 3] of float32")
        #expect(refusal(Data(count: 16), [4, 3]) == "\(begin) 16: it would fit shape [4, 1] of float32")
        #expect(
            refusal(Data(count: 96), [4, 3])
                == "\(begin) 96: it would fit shape [8, 3] of float32, or shape [4, 6] of float32, or shape [4, 3] of float64")
        #expect(
            refusal(Data(count: 24), [4, 3])
                == "\(begin) 24: it would fit shape [2, 3] of float32, or shape [4, 3] of float16 or bfloat16")
        #expect(refusal(Data(count: 47), [4, 3]) == "\(begin) 47: no number of such rows fits it")
        #expect(refusal(Data(count: 49), [4, 3]) == "\(begin) 49: no number of such rows fits it")
        #expect(refusal(Data(), [4, 3]) == "\(begin) 0: no number of such rows fits it")
        #expect(
            refusal(Data(count: 6), [2], .float16)
                == "g.bin: shape [2] of float16 takes 4 bytes, but the file has 6: it would fit shape [3] of float16")
    }

    @Test(
        "shapes without elements, with negative extents or beyond all bounds are refused",
        arguments: [[], [0, 3], [4, 0], [-1, -12], [.max, 2], [1 << 40, 1 << 40], [.max]])
    func badShapes(shape: [Int]) {
        let reason = refusal(Data(count: 48), shape)
        #expect(reason?.contains("has no elements") == true || reason?.contains("than can be addressed") == true)
    }

    @Test("a .npy file is refused, also with a shape that takes its header for rows")
    func numpy() {
        let bytes = npy(header("<f4", "(20, 8)"), Data(count: 640))
        for rows in [20, bytes.count / 32] {
            let error = #expect(throws: FormatError.self) {
                try FlatFile.decode(bytes, shape: [rows, 8], elementType: .float32, file: "g.npy")
            }
            #expect(error?.reason == "this is a .npy file, which says its shape and type itself; leave them out")
        }
    }

    @Test("a missing file and a folder are refused by name")
    func unreadable() throws {
        for path in [folder.path("absent.bin"), folder.url.path] {
            let error = #expect(throws: FormatError.self) {
                try FlatFile.read(path: path, shape: [1], elementType: .float32)
            }
            #expect(error?.file == path)
        }
    }
}

@Suite("Large files")
struct LargeFileTests {
    /// A file of holes with `start` at its front, so large that reading it would be noticed.
    private func sparse(_ name: String, _ start: Data, byteCount: Int, in folder: TemporaryDirectory) throws -> String {
        let path = folder.path(name)
        try start.write(to: URL(fileURLWithPath: path))
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.truncate(atOffset: UInt64(byteCount))
        try file.close()
        return path
    }

    private func isMapped(_ path: String) throws -> Bool {
        try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).contains(path)
    }

    @Test("a flat file, a .npy file and a safetensors file of several GB are mapped, and rows of them read alone")
    func mapped() throws {
        let folder = try TemporaryDirectory()
        let rows = 1 << 19
        let data = rows * 4096
        let flat = try sparse("g.bin", Data(), byteCount: data, in: folder)
        let numpyStart = npy(header("<f4", "(\(rows), 1024)"))
        let numpy = try sparse("g.npy", numpyStart, byteCount: numpyStart.count + data, in: folder)
        let entry = #"{"g":{"dtype":"F32","shape":[\#(rows),1024],"data_offsets":[0,\#(data)]}}"#
        let tensorsStart = littleEndian(UInt64(entry.utf8.count)) + Data(entry.utf8)
        let tensors = try sparse("g.safetensors", tensorsStart, byteCount: tensorsStart.count + data, in: folder)
        let read = [
            (flat, try FlatFile.read(path: flat, shape: [rows, 1024], elementType: .float32)),
            (numpy, try TensorFile.read(path: numpy)), (tensors, try TensorFile.read(path: tensors)),
        ]
        for (path, tensor) in read {
            #expect(tensor.shape == [rows, 1024])
            #expect(try tensor.rows(rows - 1..<rows).floats() == [Float](repeating: 0, count: 1024))
            #expect(try isMapped(path), "\(path)")
        }
    }
}
