import Formats
import Foundation
import Testing

@Suite("safetensors")
struct SafetensorsFileTests {
    private func file(_ header: String, _ data: Data = Data()) -> Data {
        littleEndian(UInt64(header.utf8.count)) + Data(header.utf8) + data
    }

    private func read(_ header: String, _ data: Data = Data()) throws -> SafetensorsFile {
        try SafetensorsFile(file(header, data), file: "m.safetensors")
    }

    @Test("every type survives writing and reading, with names, shapes and metadata")
    func roundTrip() throws {
        var generator = Generator(state: 3)
        let tensors = try ElementType.allCases.enumerated().map { index, type in
            let shape = [[3], [1, 2], [], [0, 4]][index % 4]
            let bytes = Data(
                (0..<(Tensor.byteCount(of: shape, type) ?? 0)).map { _ in UInt8.random(in: 0...1, using: &generator) })
            return (name: "t/\(type.rawValue) é", tensor: try #require(Tensor(elementType: type, shape: shape, bytes: bytes)))
        }
        let bytes = SafetensorsFile.encode(tensors, metadata: ["step": "10", "a": "\"é\""])
        #expect(bytes == SafetensorsFile.encode(tensors, metadata: ["a": "\"é\"", "step": "10"]))
        let file = try SafetensorsFile(bytes, file: "m")
        #expect(file.names == tensors.map(\.name))
        #expect(file.metadata == ["step": "10", "a": "\"é\""])
        for (name, tensor) in tensors {
            let read = try file.tensor(named: name)
            #expect(read.elementType == tensor.elementType)
            #expect(read.shape == tensor.shape)
            #expect(read.bytes == tensor.bytes)
        }
        let empty = try SafetensorsFile(SafetensorsFile.encode([]), file: "m")
        #expect(empty.names.isEmpty)
        let error = #expect(throws: FormatError.self) { try file.tensor(named: "none") }
        #expect(error?.reason.hasPrefix("there is no tensor of this name") == true)
    }

    @Test("tensors in any order of their bytes, unaligned ones and padded headers are read")
    func layouts() throws {
        let header =
            #"{"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"a":{"shape":[],"data_offsets":[0,1],"dtype":"U8"}}   "#
        let read = try read(header, Data([9, 0, 0, 0x80, 0x3F]))
        #expect(read.names == ["b", "a"])
        #expect(try read.tensor(named: "b").floats() == [1])
        #expect(try read.tensor(named: "a").integers() == [9])
    }

    @Test(
        "a header that is not right is refused",
        arguments: [
            "", "{", "[]", "null", " {}", "{} x", "\u{FEFF}{}", "{\"a\":1}", "{\"a\":{}}", "{\"__metadata__\":1}",
            "{\"__metadata__\":{\"a\":1}}",
            "{\"__metadata__\":{\"a\":{}}}", #"{"a":{"dtype":"F32","shape":[1]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#,
            #"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#, #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}"#,
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#,
            #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}"#,
            #"{"\#u{E9}":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
                + #""e\#u{301}":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
            #"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#,
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[9223372036854775803,9223372036854775807]}}"#,
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[18446744073709551612,18446744073709551616]}}"#,
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],}}"#, "{\"a\":[[[[[[",
        ])
    func badHeaders(header: String) {
        let error = #expect(throws: FormatError.self) { try read(header, Data(count: 4)) }
        #expect(error?.file == "m.safetensors")
    }

    @Test("errors name the tensor and give the numbers")
    func messages() {
        func text(_ header: String, _ data: Data) -> String? {
            #expect(throws: FormatError.self) { try read(header, data) }?.description
        }
        #expect(
            text(#"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}}"#, Data(count: 20))
                == "m.safetensors: w: shape [2, 3] of F32 takes 24 bytes, but its data_offsets [0, 20] hold 20")
        #expect(
            text(#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, Data(count: 5))
                == "m.safetensors: the tensors cover 4 bytes, but there are 5 bytes of data")
        #expect(
            text(#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, Data(count: 3))
                == "m.safetensors: w: its data ends at 4, but there are only 3 bytes of data")
        #expect(
            text(
                #"{"v":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
                Data(count: 3))
                == "m.safetensors: w: its data begins at 2 and leaves a hole behind that of v, which ends at 1")
        #expect(
            text(#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, Data())?.hasPrefix(
                "m.safetensors: header: it is not valid JSON (line 1") == true)
    }

    @Test("header lengths beyond the file or the limit are refused", arguments: [3, 1000, 100_000_001, 1 << 62, UInt64.max])
    func headerLength(length: UInt64) {
        #expect(throws: FormatError.self) { try SafetensorsFile(littleEndian(length) + Data("{}".utf8), file: "m") }
    }

    @Test("files of other formats are refused by what they are")
    func otherFormats() {
        func reason(_ bytes: Data) -> String? {
            #expect(throws: FormatError.self) { try SafetensorsFile(bytes, file: "m") }?.reason
        }
        #expect(reason(Compression.gzip(Data("{}".utf8)))?.contains("gzip") == true)
        #expect(reason(ZipWriter([.init("archive/data.pkl", Data(count: 9))]).bytes)?.contains("torch.save") == true)
        #expect(reason(Data("something else".utf8))?.contains("no safetensors file") == true)
    }

    @Test("every truncation is refused and no flipped bit crashes the reader")
    func damage() throws {
        let header =
            #"{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
            + #""a":{"dtype":"I16","shape":[1],"data_offsets":[8,10]}}"#
        let good = file(header, Data(0..<10))
        #expect(try SafetensorsFile(good, file: "m").metadata == ["k": "v"])
        for count in 0..<good.count {
            #expect(throws: FormatError.self) { try SafetensorsFile(good.prefix(count), file: "m") }
        }
        for bit in 0..<(good.count * 8) {
            var damaged = good
            damaged[bit / 8] ^= 1 << (bit % 8)
            guard let file = try? SafetensorsFile(damaged, file: "m") else { continue }
            for name in file.names { _ = try? file.tensor(named: name).floats() }
        }
    }
}
