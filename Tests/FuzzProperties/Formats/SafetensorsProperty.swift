import Formats
import Foundation

extension FuzzProperty {
    /// A safetensors file: its tensors have the bytes that their shapes take, together all that there are, and are the same
    /// again, with the metadata, if they are written and read; or it is an error.
    public static let safetensors = FuzzProperty("safetensors") { input throws(Violation) in
        let read = try reading(input, isSame: areSame) { data throws(FormatError) in
            try SafetensorsFile(data, file: "a.safetensors")
        }
        guard let file = read.value else { return }
        try require(Set(file.names).count == file.names.count, "two tensors have one name: \(file.names)")
        var tensors: [(name: String, tensor: Tensor)] = []
        for name in file.names {
            guard let tensor = try? file.tensor(named: name) else { throw Violation("there is no \(name)") }
            try tensor.requireConsistent()
            tensors.append((name, tensor))
        }
        let headerCount = input.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let total = tensors.reduce(0) { $0 + $1.tensor.bytes.count }
        try require(total == input.count - 8 - headerCount, "the tensors have \(total) bytes of \(input.count)")

        let bytes = SafetensorsFile.encode(tensors, metadata: file.metadata)
        let again = try reading(Array(bytes), isSame: areSame) { data throws(FormatError) in
            try SafetensorsFile(data, file: "a.safetensors")
        }
        try require(again.value.map { areSame($0, file) } ?? false, "\(file) became \(again)")
    }

    private static func areSame(_ one: SafetensorsFile, _ other: SafetensorsFile) -> Bool {
        one.metadata == other.metadata && one.names == other.names
            && one.names.allSatisfy { name in
                guard let tensor = try? one.tensor(named: name), let same = try? other.tensor(named: name) else { return false }
                return Tensor.areSame(tensor, same)
            }
    }
}
