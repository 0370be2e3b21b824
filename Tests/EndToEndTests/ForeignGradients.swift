import Foundation
import JSON
import TestSupport
import Testing

/// Gradients as a program elsewhere leaves them, and what follows from them in double precision.
struct ForeignGradients {
    /// Row after row.
    let matrix: DenseMatrix

    var count: Int { matrix.rows }
    var width: Int { matrix.columns }

    init(_ matrix: DenseMatrix) { self.matrix = matrix }

    /// Numbers that single precision holds.
    init(count: Int = 40, width: Int = 7, seed: UInt64 = 5) {
        var numbers = SeededNumbers(seed)
        let floats = numbers.floats(count * width)
        matrix = DenseMatrix(rows: count, columns: width, elements: floats.map { Double($0) })
    }

    /// The rows of a .npy file of float64 that a fixture has.
    init(fixture path: String) throws {
        let file = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path(path)))
        let start = 10 + Int(file[8]) + Int(file[9]) << 8
        let header = String(decoding: file[10..<start], as: UTF8.self)
        try #require(header.contains("'<f8'") && header.contains("'fortran_order': False"))
        let shape = try #require(header.split(separator: "(").last?.split(separator: ")").first)
        let extents = shape.split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        try #require(extents.count == 2)
        let elements = file.dropFirst(start).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 8).map {
                Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self)))
            }
        }
        matrix = DenseMatrix(rows: extents[0], columns: extents[1], elements: elements)
    }

    /// (1/n) Σ gᵢgᵢᵀ.
    var fisher: DenseMatrix {
        var sum = matrix.transposed * matrix
        for i in sum.elements.indices { sum.elements[i] /= Double(count) }
        return sum
    }

    /// gᵢ·(C + λI)⁻¹v for every row.
    func scores(of v: [Double], lambda: Double) -> [Double] { matrix.times(fisher.plus(diagonal: lambda).solved(for: v)) }

    /// The bytes of float32, float16, bfloat16 or float64 numbers, and nothing else.
    func flat(_ type: String) -> Data {
        func bytes(_ values: [some BitwiseCopyable]) -> Data { values.withUnsafeBytes { Data($0) } }
        return switch type {
        case "float16": bytes(matrix.elements.map { Float16($0).bitPattern.littleEndian })
        // Truncated, which is a value of that type as well.
        case "bfloat16": bytes(matrix.elements.map { UInt16(Float($0).bitPattern >> 16).littleEndian })
        case "float64": bytes(matrix.elements.map { $0.bitPattern.littleEndian })
        default: bytes(matrix.elements.map { Float($0).bitPattern.littleEndian })
        }
    }

    /// A .npy file.
    func npy(_ type: String = "float32") -> Data {
        ArrayFile.npy(["float32": "<f4", "float16": "<f2", "float64": "<f8"][type] ?? type, [count, width], flat(type))
    }

    /// The same numbers as a type holds them.
    func rounded(to type: String) -> ForeignGradients {
        let elements = matrix.elements.map { value in
            switch type {
            case "float16": Double(Float16(value))
            case "bfloat16": Double(Float(bitPattern: Float(value).bitPattern & 0xFFFF_0000))
            default: Double(Float(value))
            }
        }
        return ForeignGradients(DenseMatrix(rows: count, columns: width, elements: elements))
    }
}

extension Workbench {
    /// Imports gradients that lie in a file of the folder; later options replace earlier ones.
    @discardableResult
    func importGradients(_ name: String = "m", _ file: String = "g.npy", _ options: String...) throws -> String {
        let result = try run(["import", "gradients", "--name", name, "--gradients", "@" + file] + options)
        try #require(result.ending == .exited(0), "\(options): \(result.standardError)")
        return result.standardOutput
    }
}
