public import Foundation

/// Files as bytes, mapped into memory so that only what is used is read.
public enum InputFile {
    /// The bytes of the file at `path`. While they are in use the file must not be made shorter: the missing part could not be
    /// read, and the process would be stopped (SIGBUS).
    /// - Throws: where there is no such file, it is a folder, pipe or device, or may not be read.
    public static func read(path: String) throws(FormatError) -> Data {
        let values: [FileAttributeKey: Any]
        do {
            // Links are followed first: the attributes of a link are its own.
            let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            values = try FileManager.default.attributesOfItem(atPath: resolved)
        } catch {
            throw FormatError(file: path, reason: "there is no such file, or it may not be looked at")
        }
        guard values[.type] as? FileAttributeType == .typeRegular else {
            throw FormatError(file: path, reason: "this is a folder, a pipe or a device; a regular file is needed")
        }
        // There is nothing to map, and Foundation (Swift 6.3) leaks a buffer when it reads an empty file.
        if values[.size] as? Int == 0 { return Data() }
        // `.mappedIfSafe` maps nothing on Linux (Swift 6.3); a file that cannot be mapped at all is read.
        let url = URL(fileURLWithPath: path)
        if let mapped = try? Data(contentsOf: url, options: .alwaysMapped) { return mapped }
        do {
            return try Data(contentsOf: url)
        } catch {
            throw FormatError(file: path, reason: "the file cannot be read; check its permissions")
        }
    }
}
