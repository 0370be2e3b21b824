import Foundation

extension Tensor {
    /// The rows of `range`, without a copy. O(1).
    /// - Throws: where there are not that many rows, or the tensor is a scalar.
    public func rows(_ range: Range<Int>) throws(TensorError) -> Tensor {
        guard !shape.isEmpty else { throw TensorError("a scalar has no rows") }
        guard range.lowerBound >= 0, range.upperBound <= rowCount else {
            throw TensorError("rows \(range.lowerBound):\(range.upperBound) were asked for, but there are \(rowCount)")
        }
        let start = bytes.startIndex + range.lowerBound * rowByteCount
        let slice = bytes[start..<start + range.count * rowByteCount]
        return Tensor(unchecked: elementType, [range.count] + shape.dropFirst(), slice)
    }

    /// The same elements in another shape, without a copy.
    /// - Throws: where the shapes have different numbers of elements.
    public func reshaped(_ shape: [Int]) throws(TensorError) -> Tensor {
        guard let tensor = Tensor(elementType: elementType, shape: shape, bytes: bytes) else {
            throw TensorError("\(count) elements of shape \(self.shape) cannot take the shape \(shape)")
        }
        return tensor
    }

    /// One number a row: a tensor of shape [n], from that or from [n, 1], as targets come.
    /// - Throws: where rows have more or fewer numbers, or the tensor is a scalar.
    public func singleColumn() throws(TensorError) -> Tensor {
        guard !shape.isEmpty, rowWidth == 1 else {
            throw TensorError("one number a row is needed, of shape [n] or [n, 1]; the shape is \(shape)")
        }
        return Tensor(unchecked: elementType, [rowCount], bytes)
    }
}
