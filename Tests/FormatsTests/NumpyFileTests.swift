@testable import Formats
import Foundation
import Testing

@Suite(".npy")
struct NumpyFileTests {
    @Test("files that NumPy wrote are read: versions, scalars, half precision, big-endian Fortran order")
    func written() throws {
        let version2 = try NumpyFile.decode(Samples.data(Samples.version2), file: "f")
        #expect(version2.shape == [2, 3])
        #expect(try version2.floats() == [0, 1, 2, 3, 4, 5])
        let scalar = try NumpyFile.decode(Samples.data(Samples.scalar), file: "f")
        #expect(scalar.shape == [])
        #expect(try scalar.doubles() == [2.5])
        #expect(try NumpyFile.decode(Samples.data(Samples.half), file: "f").floats() == [1.5, -2, 0x1p-24, 65504])
        let fortran = try NumpyFile.decode(Samples.data(Samples.fortranBigEndian), file: "f")
        #expect(fortran.elementType == .int16)
        #expect(fortran.shape == [2, 3, 4])
        #expect(try fortran.integers() == Array(0..<24))
    }

    @Test("every type survives writing and reading, bfloat16 as float32", arguments: ElementType.allCases)
    func roundTrip(type: ElementType) throws {
        let bytes = Data((0..<(6 * type.byteCount)).map { UInt8($0 % 2) })
        for shape in [[6], [2, 3], [1, 1, 6], [3, 2, 1]] {
            let tensor = try #require(Tensor(elementType: type, shape: shape, bytes: bytes))
            let file = NumpyFile.encode(tensor)
            #expect((file.count - (type == .bfloat16 ? 24 : bytes.count)) % 64 == 0)
            let read = try NumpyFile.decode(file, file: "f")
            #expect(read.elementType == (type == .bfloat16 ? .float32 : type))
            #expect(read.shape == shape)
            #expect(try read.doubles() == tensor.doubles())
        }
        let empty = try #require(Tensor(elementType: type, shape: [0, 3], bytes: Data()))
        #expect(try NumpyFile.decode(NumpyFile.encode(empty), file: "f").shape == [0, 3])
    }

    @Test(
        "headers are read in any order and spacing",
        arguments: [
            "{'shape': (2,), 'descr': '|u1', 'fortran_order': True}",
            "{\"descr\":\"<u1\",\"fortran_order\":False,\"shape\":(2,)}\n",
            " { 'descr' : '>u1' , 'fortran_order' : False , 'shape' : ( 2 , ) , } \n\n",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, )}",
            "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }",
        ])
    func headers(text: String) throws {
        #expect(try NumpyFile.decode(npy(text, Data([1, 0])), file: "f").integers() == [1, 0])
    }

    @Test(
        "a header that is not right is refused",
        arguments: [
            "", "{", "{}", "\n", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': False}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': 2}", "{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'x': 1}",
            "{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}", "{'descr': '|u1', 'fortran_order': false, 'shape': (2,)}",
            "{'descr': 'u1', 'fortran_order': False, 'shape': (2,)}", "{'descr': '=u1', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|u2', 'fortran_order': False, 'shape': (1,)}", "{'descr': '<f16', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", "{'descr': '<U1', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|V2', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '', 'fortran_order': False, 'shape': (2,)}", "{'descr': '|u1, 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x", "{'descr': '|u1', 'fortran_order': False 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2,", "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
            "{'descr': '|u\\x31', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2.0,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{,'descr': '|u1', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (\(String(repeating: "1, ", count: 65)))}",
        ])
    func badHeaders(text: String) {
        let error = #expect(throws: FormatError.self) { try NumpyFile.decode(npy(text, Data([1, 0])), file: "f") }
        #expect(error?.reason.hasPrefix("the .npy header is not right") == true)
    }

    @Test("objects and records are refused in words")
    func unreadableTypes() throws {
        let objects = #expect(throws: FormatError.self) {
            try NumpyFile.decode(Samples.data(Samples.objects), file: "a.npy", part: "x")
        }
        #expect(
            objects?.description.hasPrefix("a.npy: x: the .npy header is not right: the elements (descr '|O') are Python objects")
                == true)
        let records = #expect(throws: FormatError.self) { try NumpyFile.decode(Samples.data(Samples.records), file: "a.npy") }
        #expect(records?.reason.contains("structured dtype") == true)
    }

    @Test(
        "shapes whose size is beyond the file, or beyond what can be addressed, are refused",
        arguments: [
            "(9223372036854775807,)", "(4611686018427387904, 4)", "(4294967296, 4294967296)", "(0, 9223372036854775807, 9)",
            "(1000000000000,)", "(3,)", "(1,)",
            "()", "(0,)",
        ])
    func wrongSizes(shape: String) {
        for fortran in ["True", "False"] {
            let text = "{'descr': '<f4', 'fortran_order': \(fortran), 'shape': \(shape)}"
            #expect(throws: FormatError.self) { try NumpyFile.decode(npy(text, Data(count: 8)), file: "f") }
        }
    }

    @Test("every truncation and every byte too many is refused")
    func truncation() throws {
        for sample in [Samples.version2, Samples.fortranBigEndian, Samples.scalar] {
            let file = try Samples.data(sample)
            for count in 0..<file.count {
                #expect(throws: FormatError.self) { try NumpyFile.decode(file.prefix(count), file: "f") }
            }
            #expect(throws: FormatError.self) { try NumpyFile.decode(file + [0], file: "f") }
        }
        let error = #expect(throws: FormatError.self) {
            try NumpyFile.decode(Samples.data(Samples.version2).dropLast(), file: "f")
        }
        #expect(error?.reason == "shape [2, 3] of float32 takes 24 bytes, but 23 follow the header: it is cut off")
    }

    @Test("no flipped bit crashes the reader, and a slice of other data is read as well as a whole")
    func damage() throws {
        for sample in [Samples.version2, Samples.fortranBigEndian] {
            let file = try Samples.data(sample)
            for bit in 0..<(file.count * 8) {
                var damaged = file
                damaged[bit / 8] ^= 1 << (bit % 8)
                if let tensor = try? NumpyFile.decode(damaged, file: "f") { _ = try? tensor.floats() }
            }
            let slice = (Data(count: 5) + file + Data(count: 3)).dropFirst(5).dropLast(3)
            #expect(try NumpyFile.decode(slice, file: "f").doubles() == NumpyFile.decode(file, file: "f").doubles())
        }
    }

    @Test("unknown versions, long headers and other files are refused")
    func notNumpy() {
        for start in [[1, 1], [0, 0], [4, 0]] as [[UInt8]] {
            var file = npy(header("|u1", "(1,)"), Data([1]))
            file.replaceSubrange(6..<8, with: start)
            #expect(throws: FormatError.self) { try NumpyFile.decode(file, file: "f") }
        }
        let long = Data([0x93]) + Data("NUMPY".utf8) + [2, 0] + littleEndian(UInt32.max) + Data(count: 100)
        #expect(throws: FormatError.self) { try NumpyFile.decode(long, file: "f") }
        #expect(throws: FormatError.self) { try NumpyFile.decode(Data("hello, world".utf8), file: "f") }
    }
}
