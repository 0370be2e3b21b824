internal import Formats
internal import Foundation

/// The UCI handwritten digits that ship with the package: 1,797 images of 8 × 8 pixels, 0 to 16 (see Resources/digits/README.md).
enum Digits {
    /// Rows of the training dataset; the rest are the tests.
    static let trainingRows = 0..<1_397
    static let testRows = 1_397..<1_797
    /// What a stored pixel is divided by.
    static let divisor = 16.0

    /// The path of one of the resource's files.
    static func path(_ name: String) throws -> String {
        guard let url = Bundle.module.url(forResource: "digits/\(name)", withExtension: nil) else {
            throw FormatError(file: name, reason: "is missing from the program's resources; install them beside it")
        }
        return url.path
    }
}
