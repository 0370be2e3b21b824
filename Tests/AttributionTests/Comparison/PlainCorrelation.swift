/// Rank correlations by their definitions, pair by pair.
enum PlainCorrelation {
    /// Pearson's correlation of the ranks, each counted out.
    static func spearman(_ a: [Double], _ b: [Double]) -> Double? {
        func ranks(_ values: [Double]) -> [Double] {
            values.map { value in
                Double(values.count { $0 < value }) + Double(values.count { $0 == value } - 1) / 2
            }
        }
        let mean = Double(a.count - 1) / 2
        let (x, y) = (ranks(a).map { $0 - mean }, ranks(b).map { $0 - mean })
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let size = dot(x, x) * dot(y, y)
        return size > 0 ? dot(x, y) / size.squareRoot() : nil
    }

    /// (C − D) / √(pairs that a tells apart · pairs that b tells apart).
    static func kendall(_ a: [Double], _ b: [Double]) -> Double? {
        var (difference, inA, inB) = (0, 0, 0)
        for i in a.indices {
            for j in 0..<i {
                let (x, y) = (a[i] < a[j] ? -1 : a[i] > a[j] ? 1 : 0, b[i] < b[j] ? -1 : b[i] > b[j] ? 1 : 0)
                difference += x * y
                inA += x * x
                inB += y * y
            }
        }
        return inA > 0 && inB > 0 ? Double(difference) / (Double(inA) * Double(inB)).squareRoot() : nil
    }
}
