import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("random projections")
struct ProjectionTests {
    /// Purposes of streams, in the lowest byte of the counter's last word.
    static let streams: [ProjectionType: Int] = [.normal: 1, .rademacher: 2, .sjlt: 3]

    static func matrix(_ type: ProjectionType, inputs: Int, outputs: Int, seed: UInt64, index: Int = 0) -> [[Double]] {
        let stream = index << 8 | (streams[type] ?? 0)
        switch type {
        case .sjlt:
            let columns = (0..<inputs).map {
                ProjectionReference.column(seed, stream, input: $0, outputs: outputs, nonzeros: min(8, outputs))
            }
            return (0..<outputs).map { k in columns.map { $0[k] } }
        case .normal, .rademacher:
            let number = type == .normal ? ProjectionReference.normal : ProjectionReference.sign
            let scale = 1 / Double(outputs).squareRoot()
            return (0..<outputs).map { k in (0..<inputs).map { number(seed, stream, k, $0) * scale } }
        }
    }

    static func expectDefinition(_ type: ProjectionType, inputs: Int, outputs: Int, budgets: [Int]) throws {
        let seed: UInt64 = 0x1234_5678_9abc_def0 &+ UInt64(inputs)
        let matrix = matrix(type, inputs: inputs, outputs: outputs, seed: seed, index: 5)
        var numbers = SeededNumbers(UInt64(outputs))
        let rows = numbers.floats(19 * inputs)
        let expected = (0..<19).flatMap { r in
            matrix.map { line in (0..<inputs).reduce(0.0) { $0 + line[$1] * Double(rows[r * inputs + $1]) } }
        }
        for budget in budgets {
            let projection = try type.makeProjection(
                inputWidth: inputs, outputWidth: outputs, seed: seed, index: 5, memoryBudget: budget)
            #expect((projection.inputWidth, projection.outputWidth) == (inputs, outputs))
            let projected = try projection.projected(rows)
            #expect(Closeness.largestError(projected, expected) < 3e-6)
        }
    }

    @Test("Philox4x32-10 gives its authors' published numbers")
    func published() {
        // The known answers that come with Random123 (Salmon et al. 2011), kat_vectors.
        let cases: [(UInt64, [UInt32], [UInt32])] = [
            (0, [0, 0, 0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            (.max, [.max, .max, .max, .max], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                0x299f_31d0_a409_3822, [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
            ),
        ]
        for (key, counter, expected) in cases {
            #expect(Philox.words(key: key, counter: counter) == [expected])
            #expect(ProjectionReference.philox(key, counter) == expected)
        }
        // Counters carry from their first word into the second.
        let run = Philox.words(key: 7, counter: [.max - 4, 8, 9, 10], count: 21)
        for i in 0..<21 as Range<UInt32> {
            #expect(run[Int(i)] == ProjectionReference.philox(7, [UInt32.max - 4 &+ i, i > 4 ? 9 : 8, 9, 10]))
        }
    }

    @Test(
        "a projection is its matrix's product with each row, the matrix kept or made as it is needed",
        arguments: ProjectionType.allCases)
    func definition(type: ProjectionType) throws {
        for (inputs, outputs) in [(1, 1), (3, 2), (17, 10), (127, 64), (128, 65), (300, 16), (700, 130)] {
            try Self.expectDefinition(type, inputs: inputs, outputs: outputs, budgets: [0, 1 << 20])
        }
    }

    @Test("any number of nonzeros up to the dimension makes a sparse projection", arguments: [1, 2, 3, 5, 7, 10])
    func nonzeros(nonzeros: Int) throws {
        let projection = try SparseProjection(inputWidth: 50, outputWidth: 10, nonzeros: nonzeros, seed: 3)
        var unit = [Float](repeating: 0, count: 50 * 50)
        for j in 0..<50 { unit[j * 51] = 1 }
        let columns = try projection.projected(unit)
        for j in 0..<50 {
            let expected = ProjectionReference.column(3, 3, input: j, outputs: 10, nonzeros: nonzeros)
            #expect(columns[j * 10..<(j + 1) * 10].filter { $0 != 0 }.count == nonzeros)
            #expect(Closeness.largestError(columns[j * 10..<(j + 1) * 10], expected) < 1e-6)
        }
    }

    @Test("every vector unit has the same matrix, and projects by it")
    func units() async {
        await #expect(processExitsWith: .success) {
            var unit = [Float](repeating: 0, count: 40 * 40)
            for j in 0..<40 { unit[j * 41] = 1 }
            for type in ProjectionType.allCases {
                func columns() throws -> [UInt32] {
                    try type.makeProjection(inputWidth: 40, outputWidth: 70, seed: 8).projected(unit).map(\.bitPattern)
                }
                #expect(VectorUnit.use("baseline"))
                let expected = try columns()
                for name in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(name) {
                    let same = try columns()
                    #expect(same == expected)
                    try ProjectionTests.expectDefinition(type, inputs: 150, outputs: 70, budgets: [0])
                }
            }
        }
    }

    @Test(
        "a projection's bits depend on no other row, nor on threads, nor on what is kept", arguments: ProjectionType.allCases)
    func independence(type: ProjectionType) throws {
        let (inputs, outputs, count) = (290, 100, 83)
        var numbers = SeededNumbers(6)
        let rows = numbers.floats(count * inputs)
        let made = try type.makeProjection(inputWidth: inputs, outputWidth: outputs, seed: 8, memoryBudget: 0)
        let kept = try type.makeProjection(
            inputWidth: inputs, outputWidth: outputs, seed: 8, memoryBudget: 1 << 30, parallel: Parallel(threads: 3))
        let all = try made.projected(rows)
        for projection in [made, kept] {
            let threaded = try projection.projected(rows, parallel: Parallel(threads: 3))
            #expect(threaded.map(\.bitPattern) == all.map(\.bitPattern))
            for range in [0..<1, 82..<83, 4..<9, 1..<18, 60..<83, 2..<2] {
                let some = try projection.projected(Array(rows[range.lowerBound * inputs..<range.upperBound * inputs]))
                #expect(some.map(\.bitPattern) == all[range.lowerBound * outputs..<range.upperBound * outputs].map(\.bitPattern))
            }
        }
    }

    @Test("more rows than share a block are each as they are alone", arguments: ProjectionType.allCases)
    func manyRows(type: ProjectionType) throws {
        let projection = try type.makeProjection(inputWidth: 5, outputWidth: 3, seed: 1, memoryBudget: 0)
        var numbers = SeededNumbers(7)
        let rows = numbers.floats(2_100 * 5)
        let all = try projection.projected(rows)
        for row in [0, 511, 512, 1023, 1024, 2_099] {
            let alone = try projection.projected(Array(rows[row * 5..<(row + 1) * 5]))
            #expect(alone.map(\.bitPattern) == all[row * 3..<(row + 1) * 3].map(\.bitPattern))
        }
    }

    @Test("seeds and indices name different projections", arguments: ProjectionType.allCases)
    func seeds(type: ProjectionType) throws {
        var seen = Set<[UInt32]>()
        var numbers = SeededNumbers(2)
        let row = numbers.floats(64)
        for seed in [0, 1, 1 << 32, UInt64.max] {
            for index in [0, 1, (1 << 24) - 1] {
                let projection = try type.makeProjection(inputWidth: 64, outputWidth: 32, seed: seed, index: index)
                seen.insert(try projection.projected(row).map(\.bitPattern))
            }
        }
        #expect(seen.count == 12)
    }

    @Test("sizes that make no sense are errors that say which", arguments: ProjectionType.allCases)
    func badSizes(type: ProjectionType) throws {
        func make(_ inputs: Int, _ outputs: Int, index: Int = 0) throws {
            _ = try type.makeProjection(inputWidth: inputs, outputWidth: outputs, seed: 1, index: index, memoryBudget: 1 << 20)
        }
        for size in [0, -1, .min, .max, (1 << 48) + 1] {
            #expect(throws: ProjectionError.size(name: "a projection's input width", value: size, largest: 1 << 48)) {
                try make(size, 4)
            }
        }
        for size in [0, -1, .min, .max, (1 << 20) + 1] {
            #expect(throws: ProjectionError.size(name: "a projection's dimension", value: size, largest: 1 << 20)) {
                try make(4, size)
            }
        }
        for index in [-1, 1 << 24, .max, .min] {
            #expect(throws: ProjectionError.index(index, largest: (1 << 24) - 1)) { try make(4, 4, index: index) }
        }
        // The largest there are: nothing of them is kept.
        try make(1 << 48, 1 << 20)
        for nonzeros in [0, -1, 5, .max] {
            #expect(throws: ProjectionError.nonzeros(nonzeros, outputs: 4)) {
                try SparseProjection(inputWidth: 4, outputWidth: 4, nonzeros: nonzeros, seed: 1)
            }
        }
    }

    @Test("a projection stops when it is told to, and so does making one", arguments: ProjectionType.allCases)
    func interrupted(type: ProjectionType) throws {
        let (inputs, outputs) = (40_000, 64)
        let projection = try type.makeProjection(inputWidth: inputs, outputWidth: outputs, seed: 1, memoryBudget: 0)
        let rows = [Float](repeating: 1, count: inputs * 8)
        var out = [Float](repeating: 0, count: 8 * outputs)
        let asked = Atomic(0)
        let third = Interruption { asked.wrappingAdd(1, ordering: .relaxed).oldValue == 2 }
        #expect(throws: Interrupted()) {
            try projection.project(rows, count: 8, into: &out, parallel: Parallel(threads: 1), interruption: third)
        }
        #expect(asked.load(ordering: .relaxed) == 3)
        guard type != .rademacher else { return }
        #expect(throws: Interrupted()) {
            try type.makeProjection(
                inputWidth: inputs, outputWidth: outputs, seed: 1, memoryBudget: 1 << 30, interruption: Interruption { true })
        }
    }
}
