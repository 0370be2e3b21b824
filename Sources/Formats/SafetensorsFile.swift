public import Foundation
import JSON

/// safetensors: the length of a JSON header, the header, which names each tensor's type, shape and place, and the tensors' bytes
/// (format description in the README of huggingface/safetensors).
public struct SafetensorsFile: Sendable {
    /// The file as the user named it.
    public let file: String
    /// What the header's `__metadata__` says.
    public let metadata: [String: String]
    /// The tensors' names, in the header's order.
    public let names: [String]
    private let tensors: [String: Tensor]

    /// The longest header, as in the reference implementation.
    private static let headerLimit = 100_000_000
    static let metadataKey = "__metadata__"

    /// The names of the types in the format.
    static let codes: [(ElementType, code: String)] = [
        (.bool, "BOOL"), (.uint8, "U8"), (.int8, "I8"), (.int16, "I16"), (.uint16, "U16"), (.float16, "F16"), (.bfloat16, "BF16"),
        (.int32, "I32"),
        (.uint32, "U32"), (.float32, "F32"), (.float64, "F64"), (.int64, "I64"), (.uint64, "U64"),
    ]

    /// The tensors of a safetensors file. Their bytes are not copied.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: its name, for errors.
    /// - Throws: where the header is not right, a tensor's bytes are not as many as its shape takes, or tensors overlap or leave
    ///   bytes between or behind them.
    public init(_ bytes: Data, file: String) throws(FormatError) {
        var cursor = ByteCursor(bytes, file: file)
        let length = try cursor.littleEndian(UInt64.self, "the header's length")
        if length > cursor.remaining, let format = Self.otherFormat(of: bytes) { throw cursor.error(format) }
        guard length <= Self.headerLimit else {
            throw cursor.error(
                "this is no safetensors file: its first 8 bytes announce a header of \(length) bytes, and there may be at most "
                    + "\(Self.headerLimit)")
        }
        let text = try cursor.take(Int(length), "the header")
        guard text.first == UInt8(ascii: "{") else { throw cursor.error("the header does not begin with '{'") }
        let data = try cursor.take(cursor.remaining, "the data")

        var metadata: [String: String] = [:]
        var names: [String] = []
        var tensors: [String: Tensor] = [:]
        var places: [(name: String, range: Range<Int>)] = []
        for (name, json) in try Self.header(text, file: file) {
            if name == Self.metadataKey {
                metadata = try Self.metadata(json, file: file)
                continue
            }
            let entry = try Self.entry(json, file: file, name: name)
            guard entry.range.upperBound <= data.count else {
                throw FormatError(
                    file: file, part: name,
                    reason: "its data ends at \(entry.range.upperBound), but there are only \(data.count) bytes of data")
            }
            let start = data.startIndex + entry.range.lowerBound
            let tensor = Tensor(unchecked: entry.elementType, entry.shape, data[start..<start + entry.range.count])
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw FormatError(file: file, part: name, reason: "two names differ in nothing but Unicode normalisation")
            }
            names.append(name)
            places.append((name, entry.range))
        }
        try Self.checkPlaces(places, byteCount: data.count, file: file)
        self.file = file
        self.metadata = metadata
        self.names = names
        self.tensors = tensors
    }

    /// The file at `path`, mapped; see ``init(_:file:)``.
    public init(path: String) throws(FormatError) {
        try self.init(InputFile.read(path: path), file: path)
    }

    /// The tensor `name`.
    /// - Throws: where there is none of that name.
    public func tensor(named name: String) throws(FormatError) -> Tensor {
        if let tensor = tensors[name] { return tensor }
        throw FormatError(
            file: file, part: name, reason: "there is no tensor of this name; there are: \(names.joined(separator: ", "))")
    }
}

extension SafetensorsFile {
    /// What to say of a file that is of another format, as far as its first bytes tell.
    private static func otherFormat(of bytes: Data) -> String? {
        if Gzip.isGzip(bytes) { return "this is a gzip file, not safetensors; decompress it first" }
        guard ZipArchive.isArchive(bytes) else { return nil }
        return
            "this is a ZIP archive, as torch.save writes it, not safetensors; write the state_dict by safetensors.torch.save_file"
    }

    private static func header(_ text: Data, file: String) throws(FormatError) -> JSONObject {
        let result = text.withUnsafeBytes { buffer in
            Result { () throws(JSONSyntaxError) in try JSON(parsing: buffer, maximumDepth: 3, maximumValues: 5_000_000) }
        }
        switch result {
        case .success(.object(let members)): return members
        case .success: throw FormatError(file: file, part: "header", reason: "it is not a JSON object")
        case .failure(let error): throw FormatError(file: file, part: "header", reason: "it is not valid JSON (\(error))")
        }
    }

    private static func metadata(_ json: JSON, file: String) throws(FormatError) -> [String: String] {
        guard let members = json.objectValue else {
            throw FormatError(file: file, part: metadataKey, reason: "it is not a JSON object")
        }
        var metadata: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.stringValue else {
                throw FormatError(file: file, part: metadataKey, reason: "the value of \"\(key)\" is not a string")
            }
            metadata[key] = text
        }
        return metadata
    }

    private static func entry(
        _ json: JSON, file: String, name: String
    ) throws(FormatError) -> (elementType: ElementType, shape: [Int], range: Range<Int>) {
        func error(_ reason: String) -> FormatError { FormatError(file: file, part: name, reason: reason) }
        guard let members = json.objectValue, Set(members.keys) == ["dtype", "shape", "data_offsets"] else {
            throw error("its entry must be an object of dtype, shape and data_offsets, and nothing else")
        }
        guard let code = members["dtype"]?.stringValue, let type = codes.first(where: { $0.code == code })?.0 else {
            throw error("its dtype \(members["dtype"]?.text ?? "") is not one of \(codes.map(\.code).joined(separator: ", "))")
        }
        guard let shape = extents(members["shape"]), let expected = Tensor.byteCount(of: shape, type) else {
            throw error("its shape must be an array of integers from 0 up whose product can be addressed")
        }
        guard let offsets = extents(members["data_offsets"]), offsets.count == 2, offsets[0] <= offsets[1] else {
            throw error("its data_offsets must be two integers [begin, end] with begin <= end")
        }
        guard offsets[1] - offsets[0] == expected else {
            let found = offsets[1] - offsets[0]
            throw error("shape \(shape) of \(code) takes \(expected) bytes, but its data_offsets \(offsets) hold \(found)")
        }
        return (type, shape, offsets[0]..<offsets[1])
    }

    private static func extents(_ json: JSON?) -> [Int]? {
        guard let elements = json?.arrayValue else { return nil }
        let integers = elements.compactMap(\.integerValue)
        return integers.count == elements.count && integers.allSatisfy { $0 >= 0 } ? integers : nil
    }

    /// The format demands that the tensors cover all the data, without overlaps and holes.
    private static func checkPlaces(_ places: [(name: String, range: Range<Int>)], byteCount: Int, file: String)
        throws(FormatError)
    {
        var covered = 0
        var last = "the header"
        for (name, range) in places.sorted(by: {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }) {
            guard range.lowerBound == covered else {
                let relation = range.lowerBound < covered ? "overlaps" : "leaves a hole behind"
                throw FormatError(
                    file: file, part: name,
                    reason: "its data begins at \(range.lowerBound) and \(relation) that of \(last), which ends at \(covered)")
            }
            (covered, last) = (range.upperBound, name)
        }
        guard covered == byteCount else {
            throw FormatError(file: file, reason: "the tensors cover \(covered) bytes, but there are \(byteCount) bytes of data")
        }
    }
}
