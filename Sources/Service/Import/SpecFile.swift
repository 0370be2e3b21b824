internal import Formats
internal import JSON
internal import Networks

/// A model's spec as users bring it: a JSON file.
enum SpecFile {
    /// The text of the file at `path`.
    /// - Throws: where it can't be read, or is not UTF-8.
    static func text(path: String) throws(FormatError) -> String {
        guard let text = String(validating: try InputFile.read(path: path), as: UTF8.self) else {
            throw FormatError(file: path, reason: "is not UTF-8 throughout; write the spec as JSON in UTF-8")
        }
        return text
    }
}

extension Network {
    /// The network that a spec's text describes.
    /// - Throws: `FormatError` naming the file that the text is from, and everything that is wrong with it.
    init(specText: String, exampleShape: [Int], file: String) throws(FormatError) {
        do {
            try self.init(ModelSpec(JSON(parsing: specText)), exampleShape: exampleShape)
        } catch let error as JSONSyntaxError {
            throw FormatError(file: file, reason: "is not JSON: \(error)")
        } catch let error as JSONIssues {
            throw FormatError(file: file, reason: error.line)
        } catch {
            throw FormatError(file: file, reason: "\(error)")
        }
    }
}
