public import Foundation
import JSON

extension SafetensorsFile {
    /// The bytes of a safetensors file.
    ///
    /// The header lists the tensors in the order given; their bytes stand widest elements first, so that all are aligned, as the
    /// reference implementation does it. The same input gives the same bytes.
    /// - Parameters:
    ///   - tensors: names and tensors. Of a name given twice the last tensor counts.
    ///   - metadata: strings to keep with them.
    public static func encode(_ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:]) -> Data {
        var last: [String: Tensor] = [:]
        var names: [String] = []
        for (name, tensor) in tensors where last.updateValue(tensor, forKey: name) == nil { names.append(name) }
        var data = Data()
        var places: [String: Range<Int>] = [:]
        for width in [8, 4, 2, 1] {
            for name in names {
                guard let tensor = last[name], tensor.elementType.byteCount == width else { continue }
                places[name] = data.count..<data.count + tensor.bytes.count
                data.append(tensor.bytes)
            }
        }

        var header = JSONObject()
        if !metadata.isEmpty {
            header[metadataKey] = .object(JSONObject(metadata.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }))
        }
        for name in names {
            guard let tensor = last[name], let range = places[name] else { continue }
            let code = codes.first { $0.0 == tensor.elementType }?.code ?? ""
            header[name] = [
                "dtype": .string(code), "shape": .array(tensor.shape.map(JSON.integer)),
                "data_offsets": [.integer(range.lowerBound), .integer(range.upperBound)],
            ]
        }
        var text = JSON.object(header).serialized()
        text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        var bytes = Data()
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: text.count >> (8 * shift))) }
        bytes.append(contentsOf: text)
        bytes.append(data)
        return bytes
    }
}
