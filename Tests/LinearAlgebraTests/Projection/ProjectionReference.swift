import Foundation
import LinearAlgebra

/// The projections' definitions, written out for one number at a time in double precision.
enum ProjectionReference {
    /// Philox4x32-10 from its paper.
    static func philox(_ key: UInt64, _ counter: [UInt32]) -> [UInt32] {
        var (c, k0, k1) = (counter, UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
        for _ in 0..<10 {
            let first = c[0].multipliedFullWidth(by: 0xd251_1f53)
            let second = c[2].multipliedFullWidth(by: 0xcd9e_8d57)
            c = [second.high ^ c[1] ^ k0, second.low, first.high ^ c[3] ^ k1, first.low]
            k0 &+= 0x9e37_79b9
            k1 &+= 0xbb67_ae85
        }
        return c
    }

    private static func words(_ seed: UInt64, _ number: Int, _ third: Int, _ stream: Int) -> [UInt32] {
        philox(
            seed,
            [UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32), UInt32(third), UInt32(stream)])
    }

    /// Number (k, j) of a normal matrix of unit variance.
    static func normal(_ seed: UInt64, _ stream: Int, output k: Int, input j: Int) -> Double {
        let drawn = words(seed, j, k / 64 * 16 + k % 16, stream)
        let pair = k % 64 / 32 * 2
        let u = (2 * Double(drawn[pair] >> 9) + 1) * 0x1p-24
        let angle = Double(drawn[pair + 1] >> 30) * .pi / 2 + (Double(drawn[pair + 1] & 0x3fff_ffff) - 0x1p29) * 0x1p-30 * .pi / 2
        return (-2 * log(u)).squareRoot() * (k % 32 < 16 ? cos(angle) : sin(angle))
    }

    /// Number (k, j) of a matrix of signs.
    static func sign(_ seed: UInt64, _ stream: Int, output k: Int, input j: Int) -> Double {
        let word = words(seed, j / 2, k / 64, stream)[j % 2 * 2 + k % 64 / 32]
        return word >> (k % 32) & 1 == 0 ? 1 : -1
    }

    /// Column j of a sparse matrix.
    static func column(_ seed: UInt64, _ stream: Int, input j: Int, outputs: Int, nonzeros: Int) -> [Double] {
        var column = [Double](repeating: 0, count: outputs)
        for band in 0..<nonzeros {
            let word = words(seed, j, band / 4, stream)[band % 4]
            let (start, end) = (band * outputs / nonzeros, (band + 1) * outputs / nonzeros)
            let row = start + Int((UInt64(word >> 1) * UInt64(end - start)) >> 31)
            column[row] += (word & 1 == 0 ? 1 : -1) / Double(nonzeros).squareRoot()
        }
        return column
    }
}

extension Projection {
    /// The projections of rows, one after the other.
    func projected(_ rows: [Float], parallel: Parallel = Parallel(threads: 1)) throws -> [Float] {
        let count = rows.count / inputWidth
        var out = [Float](repeating: .nan, count: count * outputWidth + 1)
        try project(rows, count: count, into: &out, parallel: parallel, interruption: .never)
        precondition(out.removeLast().isNaN, "wrote beyond the end")
        return out
    }
}

/// What a list of numbers says about the mean and the variance behind it, each with five standard errors.
struct Moments {
    let mean: Double
    let meanTolerance: Double
    let variance: Double
    let varianceTolerance: Double

    init(_ values: [Double]) {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let second = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let fourth = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) } / count
        self.mean = mean
        meanTolerance = 5 * (second / count).squareRoot()
        variance = second
        varianceTolerance = 5 * ((fourth - second * second) / count).squareRoot()
    }
}
