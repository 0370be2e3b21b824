public import Foundation

/// A file of nothing but elements: little-endian, row-major, no header, as `numpy.memmap` and `ndarray.tofile` leave it.
///
/// What the elements are and how they are arranged has to be known from elsewhere, so the file's length is the only thing that
/// can tell of a mistake: it must be exactly what the shape takes.
public enum FlatFile {
    /// The array in the file at `path`, which is mapped into memory, not read: rows come from the disk as they are looked at.
    /// - Parameters:
    ///   - path: the file.
    ///   - shape: the extents, outermost first; none of them 0.
    ///   - elementType: how each element is stored.
    /// - Throws: where the file cannot be read, is longer or shorter than the shape takes, or is a .npy file; the error says which
    ///   shapes it would fit.
    public static func read(path: String, shape: [Int], elementType: ElementType) throws(FormatError) -> Tensor {
        try decode(InputFile.read(path: path), shape: shape, elementType: elementType, file: path)
    }

    /// The array in the bytes of a file, which are not copied; see ``read(path:shape:elementType:)``.
    public static func decode(
        _ bytes: Data, shape: [Int], elementType: ElementType, file: String
    ) throws(FormatError) -> Tensor {
        guard !shape.isEmpty, shape.allSatisfy({ $0 > 0 }) else {
            throw FormatError(file: file, reason: "shape \(shape) has no elements; give the extents, each at least 1")
        }
        guard let expected = Tensor.byteCount(of: shape, elementType) else {
            throw FormatError(
                file: file, reason: "shape \(shape) of \(elementType.rawValue) has more elements than can be addressed")
        }
        // Its header would count as rows where they are as long.
        guard !bytes.starts(with: NumpyFile.magic) else {
            throw FormatError(file: file, reason: "this is a .npy file, which says its shape and type itself; leave them out")
        }
        guard expected == bytes.count else {
            let fits = fittings(byteCount: bytes.count, shape: shape, elementType: elementType)
            let hint = fits.isEmpty ? "no number of such rows fits it" : "it would fit \(fits.joined(separator: ", or "))"
            throw FormatError(
                file: file,
                reason:
                    "shape \(shape) of \(elementType.rawValue) takes \(expected) bytes, but the file has \(bytes.count): \(hint)")
        }
        return Tensor(unchecked: elementType, shape, bytes)
    }

    /// The shapes and types nearest to those given that take exactly `byteCount` bytes: other numbers of rows, other widths of
    /// rows, other types of the same shape.
    private static func fittings(byteCount: Int, shape: [Int], elementType: ElementType) -> [String] {
        guard byteCount > 0 else { return [] }
        var fits: [String] = []
        for axis in Set([0, shape.count - 1]).sorted() {
            var other = shape
            other[axis] = 1
            guard let unit = Tensor.byteCount(of: other, elementType), byteCount.isMultiple(of: unit) else { continue }
            other[axis] = byteCount / unit
            fits.append("shape \(other) of \(elementType.rawValue)")
        }
        let types = ElementType.allCases.filter { type in
            type.isFloatingPoint && Tensor.byteCount(of: shape, type) == byteCount
        }
        if !types.isEmpty { fits.append("shape \(shape) of \(types.map(\.rawValue).joined(separator: " or "))") }
        return fits
    }
}
