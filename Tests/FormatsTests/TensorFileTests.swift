import Formats
import Foundation
import TestSupport
import Testing

@Suite("Tensor files")
struct TensorFileTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func write(_ name: String, _ bytes: Data) throws -> String {
        let path = folder.path(name)
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test("each format is known by its first bytes or its name, plain and gzipped")
    func formats() throws {
        let npy = NumpyFile.encode(try #require(Tensor(elementType: .uint8, shape: [2], bytes: Data([1, 2]))))
        let idx = Data([0, 0, 8, 1, 0, 0, 0, 2, 1, 2])
        let csv = Data("1\n2\n".utf8)
        let safetensors = SafetensorsFile.encode([("w", try NumpyFile.decode(npy, file: "f"))])
        let npz = ZipWriter([ZipWriter.Member("only.npy", npy)]).bytes
        let files: [(String, Data)] = [
            ("a.npy", npy), ("a.bin", npy), ("a.csv.npy", npy), ("images-idx1-ubyte", idx), ("a.idx", idx), ("A.CSV", csv),
            ("a.safetensors", safetensors),
            ("a.npz", npz), ("a.zip", npz),
        ]
        for (name, bytes) in files {
            #expect(try TensorFile.read(path: write(name, bytes)).integers() == [1, 2], "\(name)")
            #expect(try TensorFile.read(path: write(name + ".gz", Compression.gzip(bytes))).integers() == [1, 2], "\(name).gz")
        }
        #expect(try TensorFile.read(path: write("plain.npy", Compression.gzip(npy))).integers() == [1, 2])
    }

    @Test("the array of an archive, the tensor of a safetensors file and the column of a CSV file are chosen by name")
    func parts() throws {
        let npz = try Samples.data(Samples.deflatedArchive)
        #expect(try TensorFile.decode(npz, file: "f.npz", part: "t").integers() == [3, -1, 7])
        let ambiguous = #expect(throws: FormatError.self) { try TensorFile.decode(npz, file: "f.npz") }
        #expect(ambiguous?.description == "f.npz: one array is needed; say which of x, t is meant")
        let csv = Data("x,y\n1,2\n3,4\n".utf8)
        #expect(try TensorFile.decode(csv, file: "f.csv", part: "y").integers() == [2, 4])
        #expect(try TensorFile.decode(csv, file: "f.csv").shape == [2, 2])
        #expect(throws: FormatError.self) { try TensorFile.decode(csv, file: "f.csv", part: "z") }
        #expect(throws: FormatError.self) { try TensorFile.decode(Samples.data(Samples.half), file: "f.npy", part: "x") }
        #expect(throws: FormatError.self) { try TensorFile.decode(SafetensorsFile.encode([]), file: "f.safetensors") }
    }

    @Test("what is no file, of no known format, damaged or too big is refused")
    func refusals() throws {
        func reason(_ body: () throws -> Void) -> String? { #expect(throws: FormatError.self, performing: body)?.reason }
        #expect(
            reason { _ = try TensorFile.read(path: folder.path("absent.npy")) }
                == "there is no such file, or it may not be looked at")
        #expect(
            reason { _ = try TensorFile.read(path: folder.url.path) }
                == "this is a folder, a pipe or a device; a regular file is needed")
        #expect(
            reason { _ = try TensorFile.read(path: "/dev/zero") }
                == "this is a folder, a pipe or a device; a regular file is needed")
        for (name, bytes) in [
            ("empty.npy", Data()), ("a.txt", Data("1,2\n".utf8)), ("a.npy", Data("no array".utf8)),
            ("a.npz", Data("no zip".utf8)),
        ] {
            #expect(
                reason { _ = try TensorFile.read(path: write(name, bytes)) }?.hasPrefix("neither its first bytes nor its name")
                    == true)
        }
        #expect(reason { _ = try TensorFile.read(path: write("empty.csv", Data())) } == "the file is empty")
        let twice = Compression.gzip(Compression.gzip(Data("1\n".utf8)))
        #expect(
            reason { _ = try TensorFile.read(path: write("a.csv.gz", twice)) } == "this is gzip inside gzip; decompress it once")
        let big = Compression.gzip(Compression.zeros(5_000_000), checksum: 0, byteCount: 5_000_000)
        #expect(
            reason { _ = try TensorFile.read(path: write("big.csv.gz", big), limit: 1_000_000) }
                == "the compressed data expands to more than 1000000 bytes")
    }

    @Test("compressed data is read no further than the array that it begins with, or than it takes to see that there is none")
    func bombs() throws {
        // The end of the data is missing, which would be found out there.
        func bomb(_ start: Data) -> Data {
            let zeros = Compression.gzip(Compression.zeros(20_000_000), checksum: 0, byteCount: 20_000_000)
            return Compression.gzip(start) + zeros.dropLast(9)
        }
        for (name, start, reason) in [
            ("a.npy.gz", npy(header("<f4", "(20, 6)")), "shape [20, 6] of float32 takes 480 bytes, but more follow the header"),
            ("a.gz", Data([0, 0, 8, 1, 0, 0, 0, 7]), "shape [7] of uint8 takes 7 bytes, but more follow the header"),
            (
                "a.npy.gz", npy(header("<f4", "(4294967296, 4294967296)")),
                "shape [4294967296, 4294967296] of float32 has more elements than can be addressed"
            ),
            (
                "a.gz", Data("hello".utf8),
                "neither its first bytes nor its name say that it is .npy, .npz, idx, .csv or .safetensors, plain or gzipped"
            ),
            ("a.npy.gz", npy(header("<f4", "(20000000,)")), "the compressed data is cut off"),
            ("a.csv.gz", Data("1,2\n".utf8), "the compressed data is cut off"),
        ] {
            let error = #expect(throws: FormatError.self) { try TensorFile.decode(bomb(start), file: name) }
            #expect(error?.reason == reason, "\(name)")
        }
        let large = Data(count: 300_000)
        let compressed =
            Compression.gzip(npy(header("|u1", "(300000,)")))
            + Compression.gzip(Compression.zeros(300_000), checksum: Compression.checksum(large), byteCount: 300_000)
        #expect(try TensorFile.decode(compressed, file: "a.npy.gz").bytes == large)
    }

    @Test("links are followed")
    func links() throws {
        let path = try write("a.csv", Data("7\n".utf8))
        try FileManager.default.createSymbolicLink(atPath: folder.path("link.csv"), withDestinationPath: path)
        #expect(try TensorFile.read(path: folder.path("link.csv")).integers() == [7])
    }
}
