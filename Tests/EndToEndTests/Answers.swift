import Foundation
import JSON
import TestSupport
import Testing

// How tests take answers apart. What is missing fails the test that looks for it.
extension JSON {
    /// The results of an answer.
    var results: [JSON] { self["results"]?.arrayValue ?? [] }

    /// The only result of an answer.
    var result: JSON {
        get throws {
            try #require(results.count == 1)
            return results[0]
        }
    }

    func member(_ key: String, _ location: SourceLocation = #_sourceLocation) throws -> JSON {
        try #require(self[key], "no member \(key) in \(text.prefix(300))", sourceLocation: location)
    }

    func number(_ key: String, _ location: SourceLocation = #_sourceLocation) throws -> Double {
        try #require(self[key]?.doubleValue, "no number \(key) in \(text.prefix(300))", sourceLocation: location)
    }

    func integer(_ key: String, _ location: SourceLocation = #_sourceLocation) throws -> Int {
        try #require(self[key]?.integerValue, "no integer \(key) in \(text.prefix(300))", sourceLocation: location)
    }

    func list(_ key: String, _ location: SourceLocation = #_sourceLocation) throws -> [JSON] {
        try #require(self[key]?.arrayValue, "no array \(key) in \(text.prefix(300))", sourceLocation: location)
    }

    /// A tensor in base64, with the shape it says.
    func tensor(_ key: String, _ location: SourceLocation = #_sourceLocation) throws -> [Float] {
        let tensor = try member(key, location)
        try #require(tensor["dtype"]?.stringValue == "float32", sourceLocation: location)
        let data = try #require(tensor["base64"]?.stringValue.flatMap { Data(base64Encoded: $0) }, sourceLocation: location)
        let shape = try #require(tensor["shape"]?.numbersValue, sourceLocation: location)
        try #require(Double(data.count) == shape.reduce(4, *), sourceLocation: location)
        return data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
    }

    /// Both ends of a result, proponents first.
    var listed: [JSON] { get throws { try list("proponents") + list("opponents") } }

    /// An object with some members replaced.
    func with(_ more: JSONObject) -> JSON {
        var members = objectValue ?? [:]
        for (key, value) in more { members[key] = value }
        return .object(members)
    }

    /// An object with one member replaced.
    func with(_ key: String, _ value: JSON) -> JSON { with([key: value]) }
}

/// Floats as the interface takes them in base64.
func base64Tensor(_ values: [Float], shape: [Int]) -> JSON {
    let data = values.map { $0.bitPattern.littleEndian }.withUnsafeBytes { Data($0) }
    return ["dtype": "float32", "shape": .numbers(shape.map(Double.init)), "base64": .string(data.base64EncodedString())]
}
