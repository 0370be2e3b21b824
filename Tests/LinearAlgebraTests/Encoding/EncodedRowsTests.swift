import Foundation
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

/// The scan's kernels against plain sums in double precision over the decoded rows.
@Suite("encoded rows")
struct EncodedRowsTests {
    static let widths = [1, 3, 4, 5, 8, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129, 200, 1023, 1024, 1025, 2065]
    static let units = ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"]

    static func scores(_ encoded: Encoded, _ rows: Range<Int>, along vectors: [Float]) throws -> [Float] {
        let count = vectors.count / encoded.width
        var out = [Float](repeating: .nan, count: count * rows.count + 1)
        try encoded.withRows {
            try $0.score(rows, along: vectors, vectorCount: count, into: &out, stride: rows.count)
        }
        #expect(out.removeLast().isNaN, "wrote beyond the end")
        return out
    }

    /// A plain dot product in double precision.
    private static func product(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
        x.withUnsafeBufferPointer { x in
            y.withUnsafeBufferPointer { y in
                var (sum, i) = (0.0, 0)
                while i < x.count {
                    sum += Double(x[i]) * Double(y[i])
                    i += 1
                }
                return sum
            }
        }
    }

    static func expectScores(widths: [Int], vectorCounts: [Int]) throws {
        for encoding in RowEncoding.allCases {
            for width in widths {
                var numbers = SeededNumbers(UInt64(width))
                let encoded = try Encoded(numbers.floats(19 * width), width: width, encoding)
                let rows = try encoded.decoded()
                for count in vectorCounts {
                    let vectors = numbers.floats(count * width)
                    let out = try scores(encoded, 0..<19, along: vectors)
                    for v in 0..<count {
                        let vector = vectors[v * width..<(v + 1) * width]
                        for r in 0..<19 {
                            let row = rows[r * width..<(r + 1) * width]
                            let error = abs(Double(out[v * 19 + r]) - product(row, vector))
                            #expect(error <= 4e-7 * (product(row, row) * product(vector, vector)).squareRoot())
                        }
                    }
                }
            }
        }
    }

    static func expectSums(widths: [Int], vectorCounts: [Int]) throws {
        for encoding in RowEncoding.allCases {
            for width in widths {
                var numbers = SeededNumbers(UInt64(width))
                let encoded = try Encoded(numbers.floats(19 * width), width: width, encoding)
                let rows = try encoded.decoded().map { Double($0) }
                for count in vectorCounts {
                    let coefficients = numbers.floats(count * 25)
                    let before = numbers.floats(count * width) + [7]
                    var after = before
                    try encoded.withRows {
                        try $0.accumulate(2..<19, coefficients: coefficients, stride: 25, vectorCount: count, into: &after)
                    }
                    var expected = before.dropLast().map { Double($0) }
                    for v in 0..<count {
                        for r in 2..<19 {
                            let coefficient = Double(coefficients[v * 25 + r - 2])
                            for j in 0..<width { expected[v * width + j] += coefficient * rows[r * width + j] }
                        }
                    }
                    #expect(after.removeLast() == 7, "wrote beyond the end")
                    #expect(Closeness.largestError(after, expected) < 2e-6)
                }
            }
        }
    }

    /// Cuts and companions of rows and vectors against all of them at once.
    static func expectIndependence(widths: [Int]) throws {
        for encoding in RowEncoding.allCases {
            for width in widths {
                var numbers = SeededNumbers(UInt64(width))
                let encoded = try Encoded(numbers.floats(21 * width), width: width, encoding)
                // Few numbers for the widest: that many take long to make.
                let vectors = numbers.floats(70 * min(width, 100)) + [Float](repeating: 0.7, count: 70 * max(0, width - 100))
                let all = try scores(encoded, 0..<21, along: vectors)
                for rows in [0..<1, 3..<4, 20..<21, 1..<10, 7..<21, 5..<5] {
                    for range in [0..<1, 69..<70, 1..<3, 2..<5, 3..<9, 5..<70] {
                        let some = try scores(
                            encoded, rows, along: Array(vectors[range.lowerBound * width..<range.upperBound * width]))
                        let expected = range.flatMap { v in rows.map { all[v * 21 + $0].bitPattern } }
                        #expect(some.map(\.bitPattern) == expected)
                    }
                }
                let together = try sums(encoded, [0..<21], coefficients: all, Array(0..<9))
                for cuts in [[0..<1, 1..<21], [0..<8, 8..<16, 16..<21], [0..<3, 3..<3, 3..<14, 14..<21]] {
                    for chosen in [[0], [8], [3, 1], [2, 4, 6, 0, 1]] {
                        let some = try sums(encoded, cuts, coefficients: all, chosen)
                        let expected = chosen.flatMap { together[$0 * width..<($0 + 1) * width] }
                        #expect(some.map(\.bitPattern) == expected.map(\.bitPattern))
                    }
                }
                // Bits are those of the decoded rows as float32.
                let plain = try Encoded(encoded.decoded(), width: width, .float32)
                let alike = try scores(plain, 0..<21, along: vectors)
                #expect(alike.map(\.bitPattern) == all.map(\.bitPattern))
                let plainly = try sums(plain, [0..<21], coefficients: all, Array(0..<9))
                #expect(plainly.map(\.bitPattern) == together.map(\.bitPattern))
            }
        }
    }

    private static func sums(
        _ encoded: Encoded, _ cuts: [Range<Int>], coefficients: [Float], _ chosen: [Int]
    ) throws -> [Float] {
        let picked = chosen.flatMap { coefficients[$0 * 21..<($0 + 1) * 21] }
        var out = [Float](repeating: 0.25, count: chosen.count * encoded.width)
        try picked.withUnsafeBufferPointer { picked in
            guard let start = picked.baseAddress else { return }
            try encoded.withRows { rows in
                for cut in cuts {
                    try rows.accumulate(
                        cut, coefficients: start + cut.lowerBound, stride: 21, vectorCount: chosen.count, into: &out)
                }
            }
        }
        return out
    }

    /// Rows and vectors that end where memory does.
    static func expectNothingReadBehind(widths: [Int]) throws {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        func ending(with numbers: [Float]) throws -> UnsafeMutablePointer<Float> {
            let memory = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
            try #require(memory != MAP_FAILED && mprotect(memory + page, page, PROT_NONE) == 0)
            let start = (memory + page - numbers.count * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
            start.update(from: numbers, count: numbers.count)
            return start
        }
        for width in widths {
            var numbers = SeededNumbers(UInt64(width))
            let (rows, vector) = (numbers.floats(13 * width), numbers.floats(width))
            let expected = try scores(Encoded(rows, width: width, .float32), 0..<13, along: vector)
            let bytes = try UnsafeRawBufferPointer(UnsafeBufferPointer(start: ending(with: rows), count: rows.count))
            var out = [Float](repeating: .nan, count: 13)
            try EncodedRows(bytes, count: 13, width: width, encoding: .float32)
                .score(0..<13, along: ending(with: vector), vectorCount: 1, into: &out, stride: 13)
            #expect(out == expected)
        }
    }

    @Test("scores are products of decoded rows and vectors, to single precision", arguments: widths)
    func score(width: Int) throws {
        try Self.expectScores(widths: [width], vectorCounts: [1, 2, 3, 4, 7] + (width < 40 ? [66] : []))
    }

    @Test("sums are decoded rows by coefficients, onto what was there", arguments: widths)
    func accumulate(width: Int) throws {
        try Self.expectSums(widths: [width], vectorCounts: [1, 2, 4, 9])
    }

    @Test("a score's and a sum's bits depend on no other row or vector, nor on how rows are cut", arguments: widths)
    func independence(width: Int) throws {
        try Self.expectIndependence(widths: [width])
    }

    @Test("and all of this on every vector unit that the processor has")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in EncodedRowsTests.units where VectorUnit.use(unit) {
                #expect(VectorUnit.current == unit)
                try EncodedRowsTests.expectScores(widths: [1, 10, 17, 33, 129, 1030], vectorCounts: [1, 2, 5])
                try EncodedRowsTests.expectSums(widths: [1, 17, 33, 129, 1030], vectorCounts: [1, 5])
                try EncodedRowsTests.expectIndependence(widths: [1, 10, 65, 1030])
                try EncodedRowsTests.expectNothingReadBehind(widths: [1, 3, 7, 10, 15, 16, 17, 31])
            }
        }
    }

    @Test("scores of all rows are the same on any number of threads")
    func threads() throws {
        var numbers = SeededNumbers(4)
        for encoding in RowEncoding.allCases {
            let encoded = try Encoded(numbers.floats(1_000 * 300), width: 300, encoding)
            let vectors = numbers.floats(2 * 300)
            let alone = try Self.scores(encoded, 0..<1_000, along: vectors)
            for threads in [1, 2, 5] {
                var out = [Float](repeating: .nan, count: 2_000)
                try encoded.withRows {
                    try $0.score(
                        along: vectors, vectorCount: 2, into: &out, stride: 1_000, parallel: Parallel(threads: threads))
                }
                #expect(out.map(\.bitPattern) == alone.map(\.bitPattern))
            }
        }
    }

    @Test("rows may lie anywhere, at odd addresses and with gaps between them", arguments: RowEncoding.allCases)
    func gaps(encoding: RowEncoding) throws {
        var numbers = SeededNumbers(9)
        let encoded = try Encoded(numbers.floats(10 * 140), width: 140, encoding)
        let vector = numbers.floats(140)
        let length = try encoding.rowByteCount(width: 140)
        var bytes = [UInt8](repeating: 0x7f, count: 1 + 9 * (length + 3) + length)
        for row in 0..<10 {
            let start = 1 + row * (length + 3)
            bytes.replaceSubrange(start..<start + length, with: encoded.bytes[row * length..<(row + 1) * length])
        }
        try bytes.withUnsafeBytes { memory in
            let rows = try EncodedRows(
                UnsafeRawBufferPointer(rebasing: memory[1...]), count: 10, width: 140, encoding: encoding, stride: length + 3)
            var scores = [Float](repeating: 0, count: 10)
            try rows.score(0..<10, along: vector, vectorCount: 1, into: &scores, stride: 10)
            let expected = try Self.scores(encoded, 0..<10, along: vector)
            #expect(scores == expected)
            var decoded = [Float](repeating: 0, count: 3 * 140)
            rows.decode(4..<7, into: &decoded)
            let together = try encoded.decoded()
            #expect(decoded[...] == together[4 * 140..<7 * 140])
        }
    }

    @Test("an error in the long sum of many equal terms stays below a millionth")
    func longRows() throws {
        let width = 400_000
        let encoded = try Encoded([Float](repeating: 0.1, count: width), width: width, .float32)
        let score = try Self.scores(encoded, 0..<1, along: [Float](repeating: 0.3, count: width))[0]
        let expected = Double(width) * Double(0.1 as Float) * Double(0.3 as Float)
        #expect(abs(Double(score) - expected) < 1e-6 * expected)
    }

    @Test("views of memory that is too small, or of sizes that make no sense, are errors", arguments: RowEncoding.allCases)
    func badViews(encoding: RowEncoding) throws {
        let length = try encoding.rowByteCount(width: 8)
        try [UInt8](repeating: 0, count: 3 * length).withUnsafeBytes { bytes in
            func view(_ count: Int, _ width: Int, _ stride: Int? = nil) throws -> EncodedRows {
                try EncodedRows(bytes, count: count, width: width, encoding: encoding, stride: stride)
            }
            let whole = try view(3, 8)
            #expect(whole.stride == length)
            #expect(throws: EncodingError.truncated(bytes: 3 * length, needed: 4 * length)) { try view(4, 8) }
            #expect(throws: EncodingError.truncated(bytes: 3 * length, needed: 3 * length + 2)) { try view(3, 8, length + 1) }
            for (count, width, stride) in [
                (-1, 8, nil), (1, 0, nil), (1, -4, nil), (2, 8, length - 1), (2, 8, 0), (2, 8, -length), (.max, 8, .max),
                (.max, 8, nil),
            ] as [(Int, Int, Int?)] {
                #expect(throws: EncodingError.self) { try view(count, width, stride) }
            }
        }
        let none = try EncodedRows(UnsafeRawBufferPointer(start: nil, count: 0), count: 0, width: 8, encoding: encoding)
        try none.score([Float](repeating: 0, count: 8), into: [])
    }

    @Test("rows that are not there are a programmer's error")
    func outOfRange() async {
        await #expect(processExitsWith: .failure) {
            try Encoded([1, 2], width: 1, .float32).withRows {
                var score: Float = 0
                try $0.score(0..<3, along: [1], vectorCount: 1, into: &score, stride: 3)
            }
        }
    }

    @Test("a scan stops when it is told to, between runs of rows")
    func interrupted() throws {
        var numbers = SeededNumbers(5)
        let encoded = try Encoded(numbers.floats(3_000 * 100), width: 100, .int8)
        let vectors = numbers.floats(50 * 100)
        for allowed in [0, 1, 3] {
            let asked = Atomic(0)
            let interruption = Interruption { asked.wrappingAdd(1, ordering: .relaxed).oldValue >= allowed }
            var out = [Float](repeating: .nan, count: 50 * 3_000)
            #expect(throws: Interrupted()) {
                try encoded.withRows {
                    try $0.score(
                        0..<3_000, along: vectors, vectorCount: 50, into: &out, stride: 3_000, interruption: interruption)
                }
            }
            #expect(asked.load(ordering: .relaxed) == allowed + 1)
            #expect(out[2_999].isNaN)
            #expect(out[0].isNaN == (allowed == 0))
            var sums = [Float](repeating: 0, count: 50 * 100)
            asked.store(0, ordering: .relaxed)
            #expect(throws: Interrupted()) {
                try encoded.withRows {
                    try $0.accumulate(
                        0..<3_000, coefficients: [Float](repeating: 1, count: 150_000), stride: 3_000, vectorCount: 50,
                        into: &sums,
                        interruption: interruption)
                }
            }
        }
    }
}

extension EncodedRows {
    fileprivate func score(_ vector: [Float], into scores: [Float]) throws {
        var scores = scores
        try score(0..<count, along: vector, vectorCount: 1, into: &scores, stride: 0)
        try score(along: vector, vectorCount: 1, into: &scores, stride: 0, parallel: Parallel(threads: 2))
    }
}
