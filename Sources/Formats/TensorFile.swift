public import Foundation

/// Reads a tensor from a file of any format known here: .npy, .npz, idx, CSV, safetensors, each also gzipped.
public enum TensorFile {
    /// The most bytes a compressed file or archive member may expand to unless said otherwise: 8 GiB.
    public static let decompressionLimit = 8 << 30

    /// The tensor in the file at `path`, which is mapped into memory, not read, if it is not compressed.
    /// - Parameters:
    ///   - path: the file.
    ///   - part: which array of a .npz, tensor of a safetensors file or column of a CSV file is meant. Needed where a .npz or
    ///     safetensors file has several; a CSV file is read as a whole without it.
    ///   - limit: the most bytes that compressed data may expand to.
    /// - Throws: where the file cannot be read, its format is not known, or it is not right.
    public static func read(path: String, part: String? = nil, limit: Int = decompressionLimit) throws(FormatError) -> Tensor {
        try decode(InputFile.read(path: path), file: path, part: part, limit: limit)
    }

    /// The tensor in the bytes of a file; see ``read(path:part:limit:)``.
    ///
    /// The format is known by the first bytes. CSV and safetensors have none that tell them, so there the name's extension does.
    public static func decode(
        _ bytes: Data, file: String, part: String? = nil, limit: Int = decompressionLimit
    ) throws(FormatError) -> Tensor {
        if Gzip.isGzip(bytes) {
            let name = file.lowercased().removingSuffix(".gz")
            let contents = try Gzip.decompress(bytes, limit: limit, bound: { bound($0, name: name) }, file: file)
            guard !Gzip.isGzip(contents) else {
                throw FormatError(file: file, reason: "this is gzip inside gzip; decompress it once")
            }
            return try decode(contents, file: file, part: part, limit: limit, name: name)
        }
        return try decode(bytes, file: file, part: part, limit: limit, name: file.lowercased())
    }

    private static func decode(
        _ bytes: Data, file: String, part: String?, limit: Int, name: String
    ) throws(FormatError) -> Tensor {
        if bytes.starts(with: NumpyFile.magic) {
            try refuse(part, in: "a .npy file holds one array", file)
            return try NumpyFile.decode(bytes, file: file)
        }
        if ZipArchive.isArchive(bytes) {
            let archive = try NumpyArchive(bytes, file: file)
            return try archive.tensor(named: only(archive.names, part, file), limit: limit)
        }
        if IDXFile.isIDX(bytes), !name.hasSuffix(".safetensors") {
            try refuse(part, in: "an idx file holds one array", file)
            return try IDXFile.decode(bytes, file: file)
        }
        if name.hasSuffix(".csv") {
            let table = try CSVFile(bytes, file: file)
            guard let part else { return table.values }
            return try table.column(named: part)
        }
        if name.hasSuffix(".safetensors") {
            let tensors = try SafetensorsFile(bytes, file: file)
            return try tensors.tensor(named: only(tensors.names, part, file))
        }
        throw FormatError(
            file: file,
            reason: "neither its first bytes nor its name say that it is .npy, .npz, idx, .csv or .safetensors, plain or gzipped")
    }

    /// The most bytes that a right file has which begins with `start`, as far as its first bytes tell; 0 if there is none.
    private static func bound(_ start: Data, name: String) -> Int {
        if start.starts(with: NumpyFile.magic) { return NumpyFile.bound(start) }
        if ZipArchive.isArchive(start) || name.hasSuffix(".safetensors") { return .max }
        if IDXFile.isIDX(start) { return IDXFile.bound(start) }
        return name.hasSuffix(".csv") ? .max : 0
    }

    private static func only(_ names: [String], _ part: String?, _ file: String) throws(FormatError) -> String {
        if let part { return part }
        if names.count == 1 { return names[0] }
        let found = names.isEmpty ? "it has none" : "say which of \(names.joined(separator: ", ")) is meant"
        throw FormatError(file: file, reason: "one array is needed; \(found)")
    }

    private static func refuse(_ part: String?, in what: String, _ file: String) throws(FormatError) {
        guard let part else { return }
        throw FormatError(file: file, part: part, reason: "\(what), without a name")
    }
}

extension String {
    fileprivate func removingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
