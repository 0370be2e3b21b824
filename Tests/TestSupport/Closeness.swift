/// How far results are from references. All are NaN or infinite where a result is, and so fail `< tolerance`.
public enum Closeness {
    /// ‖actual − expected‖₂ / ‖expected‖₂; the numerator alone where the reference is zero.
    public static func relativeDistance(
        _ actual: some Collection<some BinaryFloatingPoint>, _ expected: some Collection<some BinaryFloatingPoint>
    ) -> Double {
        guard actual.count == expected.count else { return .infinity }
        var difference = 0.0
        var size = 0.0
        for (a, e) in zip(actual, expected) {
            difference += (Double(a) - Double(e)) * (Double(a) - Double(e))
            size += Double(e) * Double(e)
        }
        return size == 0 ? difference.squareRoot() : (difference / size).squareRoot()
    }

    /// max |actual − expected| / max |expected|; the numerator alone where the reference is zero.
    public static func largestError(
        _ actual: some Collection<some BinaryFloatingPoint>, _ expected: some Collection<some BinaryFloatingPoint>
    ) -> Double {
        guard actual.count == expected.count else { return .infinity }
        var difference = 0.0
        var size = 0.0
        for (a, e) in zip(actual, expected) {
            let distance = abs(Double(a) - Double(e))
            guard !distance.isNaN else { return .nan }
            difference = max(difference, distance)
            size = max(size, abs(Double(e)))
        }
        return size == 0 ? difference : difference / size
    }

    /// Pearson's correlation coefficient.
    public static func pearson(
        _ x: some Collection<some BinaryFloatingPoint>, _ y: some Collection<some BinaryFloatingPoint>
    ) -> Double {
        let meanX = x.reduce(0) { $0 + Double($1) } / Double(x.count)
        let meanY = y.reduce(0) { $0 + Double($1) } / Double(y.count)
        return cosine(x.map { Double($0) - meanX }, y.map { Double($0) - meanY })
    }

    /// The cosine of the angle between two vectors.
    public static func cosine(
        _ x: some Collection<some BinaryFloatingPoint>, _ y: some Collection<some BinaryFloatingPoint>
    ) -> Double {
        guard x.count == y.count else { return .nan }
        var (xy, xx, yy) = (0.0, 0.0, 0.0)
        for (a, b) in zip(x, y) {
            xy += Double(a) * Double(b)
            xx += Double(a) * Double(a)
            yy += Double(b) * Double(b)
        }
        return xy / (xx * yy).squareRoot()
    }
}
