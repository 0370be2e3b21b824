public import Foundation

/// NumPy's .npz: a ZIP archive with one .npy file for each array.
public struct NumpyArchive: Sendable {
    /// The file as the user named it.
    public let file: String
    /// The arrays' names, without `.npy`, in the order of the archive.
    public let names: [String]
    private let archive: ZipArchive

    /// The directory of an archive; arrays are read when asked for.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: its name, for errors.
    /// - Throws: where it is no ZIP archive, is damaged, or has two arrays of one name.
    public init(_ bytes: Data, file: String) throws(FormatError) {
        self.file = file
        self.archive = try ZipArchive(bytes, file: file)
        self.names = archive.members.map { $0.name.hasSuffix(".npy") ? String($0.name.dropLast(4)) : $0.name }
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw FormatError(file: file, part: name, reason: "two arrays have this name")
        }
    }

    /// The archive at `path`; see ``init(_:file:)``.
    public init(path: String) throws(FormatError) {
        try self.init(InputFile.read(path: path), file: path)
    }

    /// The array `name`. Not copied if it is stored uncompressed.
    /// - Parameters:
    ///   - name: one of ``names``.
    ///   - limit: the most bytes it may have once decompressed. Memory use stays in proportion to what there really is.
    /// - Throws: where there is no such array, or it is damaged, too big or not to be read.
    public func tensor(named name: String, limit: Int = TensorFile.decompressionLimit) throws(FormatError) -> Tensor {
        guard let index = names.firstIndex(of: name) else {
            throw FormatError(
                file: file, part: name, reason: "there is no array of this name; there are: \(names.joined(separator: ", "))")
        }
        let contents = try archive.contents(of: archive.members[index], limit: limit, bound: NumpyFile.bound)
        return try NumpyFile.decode(contents, file: file, part: name)
    }
}
