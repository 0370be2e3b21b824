import Attribution
import LinearAlgebra
import Synchronization
import TestSupport
import Testing

@Suite("nearest neighbours")
struct NearestNeighborsTests {
    private let parallel = Parallel(threads: 2)

    /// Squared distances in double precision, sorted with ties to the lower index.
    private func bruteForce(_ query: [Float], _ features: FeatureRows, _ count: Int) -> [UInt32] {
        let distances = (0..<features.count).map { row in
            zip(features.values(of: row), query).reduce(0.0) {
                $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
            }
        }
        let order = (0..<features.count).sorted { (distances[$0], $0) < (distances[$1], $1) }
        return order.prefix(count).map { UInt32($0) }.sorted()
    }

    private func byteRows(_ bytes: [UInt8], width: Int, multiplier: Float) -> FeatureRows {
        let memory = AlignedMemory<UInt8>(uninitialized: bytes.count)
        _ = memory.elements.initialize(from: bytes)
        return FeatureRows(.uint8(memory), count: bytes.count / width, width: width, multiplier: multiplier)
    }

    @Test("are those of smallest distance, by ascending index", arguments: [1, 2, 17, 100, 199, 200, 1000], [1, 5, 33])
    func nearest(count: Int, width: Int) throws {
        var numbers = SeededNumbers(UInt64(width))
        let floats = FeatureRows(numbers.floats(200 * width), width: width, multiplier: 0.5)
        let query = numbers.floats(width, scale: 0.5)
        #expect(
            try NearestNeighbors.indices(of: query, in: floats, count: count, parallel: parallel)
                == bruteForce(query, floats, count))
        // A power of two, so that the reference's distances are exact and its ties are ties.
        let bytes = byteRows(numbers.bytes(200 * width), width: width, multiplier: 1 / 256)
        let pixels = numbers.bytes(width).map { Float($0) / 256 }
        #expect(
            try NearestNeighbors.indices(of: pixels, in: bytes, count: count, parallel: parallel)
                == bruteForce(pixels, bytes, count))
    }

    @Test("ties go to the lower index", arguments: 0...10)
    func ties(count: Int) throws {
        // Whole numbers, so that equal distances are equal: 0, 1, 1, 1, 4, 0, 1, 4, 9, 1 from the query.
        let features = FeatureRows([5, 6, 4, 6, 7, 5, 4, 3, 8, 4], width: 1)
        let expected = [0, 5, 1, 2, 3, 6, 9, 4, 7, 8].prefix(count).map { UInt32($0) }.sorted()
        #expect(try NearestNeighbors.indices(of: [5], in: features, count: count, parallel: parallel) == expected)
        let bytes = byteRows([5, 6, 4, 6, 7, 5, 4, 3, 8, 4], width: 1, multiplier: 1)
        #expect(try NearestNeighbors.indices(of: [5], in: bytes, count: count, parallel: parallel) == expected)
    }

    @Test("copies of one row tie, whatever the features and however many there are")
    func copies() throws {
        var numbers = SeededNumbers(4)
        let row = numbers.floats(31)
        let features = FeatureRows((0..<50).flatMap { _ in row }, width: 31)
        #expect(
            try NearestNeighbors.indices(of: numbers.floats(31), in: features, count: 7, parallel: parallel)
                == (0..<7).map { UInt32($0) })
    }

    @Test("are found where all rows lie far from the origin and close to each other", arguments: [10, 1000, 100_000] as [Float])
    func offset(distance: Float) throws {
        var numbers = SeededNumbers(5)
        let features = FeatureRows(numbers.floats(100 * 20).map { distance + $0 }, width: 20)
        let query = numbers.floats(20).map { distance + $0 }
        #expect(
            try NearestNeighbors.indices(of: query, in: features, count: 10, parallel: parallel)
                == bruteForce(query, features, 10))
    }

    @Test("images that differ from the query by one grey level in few pixels are ordered by how many")
    func nearlyEqual() throws {
        let query = [UInt8](repeating: 200, count: 784)
        var (three, four) = (query, query)
        for pixel in 300..<303 { three[pixel] = 201 }
        for pixel in 300..<304 { four[pixel] = 201 }
        for multiplier in [1, 1 / 255] as [Float] {
            let features = byteRows(four + three + four, width: 784, multiplier: multiplier)
            let values = query.map { Float($0) * multiplier }
            #expect(try NearestNeighbors.indices(of: values, in: features, count: 1, parallel: parallel) == [1])
            #expect(try NearestNeighbors.indices(of: values, in: features, count: 2, parallel: parallel) == [0, 1])
        }
    }

    @Test("a row is its own nearest neighbour")
    func itself() throws {
        var numbers = SeededNumbers(6)
        let bytes = byteRows(numbers.bytes(300 * 50), width: 50, multiplier: 1 / 255)
        for row in [0, 37, 299] {
            #expect(
                try NearestNeighbors.indices(of: bytes.values(of: row), in: bytes, count: 1, parallel: parallel) == [UInt32(row)])
        }
    }

    @Test("are the same on any number of threads")
    func threads() throws {
        var numbers = SeededNumbers(7)
        let features = FeatureRows(numbers.integers(500 * 3, below: 4).map { Float($0) }, width: 3)
        let results = try [1, 2, 5].map {
            try NearestNeighbors.indices(of: [1, 2, 1], in: features, count: 60, parallel: Parallel(threads: $0))
        }
        #expect(results[0] == bruteForce([1, 2, 1], features, 60))
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    @Test(
        "nearest first, with their distances or cosines, as the direct way in double precision has them",
        arguments: NeighborProblem.all.indices, NeighborMetric.allCases)
    func reference(index: Int, metric: NeighborMetric) throws {
        let problem = NeighborProblem.all[index]
        let (features, queries) = (problem.features, problem.queries)
        let references = queries.map { NeighborReference($0, features, metric) }
        for count in [0, 1, 2, 10, features.count - 1, features.count, features.count + 5] where count >= 0 {
            let found = try NearestNeighbors.nearest(
                to: queries, in: features, count: count, metric: metric, parallel: parallel)
            try #require(found.count == queries.count)
            for (neighbors, reference) in zip(found, references) {
                #expect(neighbors.indices == Array(reference.indices.prefix(count)), "\(problem.name), \(count)")
                let same = zip(neighbors.measures, reference.measures).allSatisfy { $0 == $1 || $0.isNaN && !$1.isFinite }
                #expect(same && neighbors.measures.count == neighbors.indices.count, "\(problem.name), \(count)")
            }
        }
    }

    @Test("a query's are the same alone and beside others, on any number of threads", arguments: NeighborMetric.allCases)
    func companions(metric: NeighborMetric) throws {
        var numbers = SeededNumbers(9)
        let features = FeatureRows(numbers.integers(3000 * 20, below: 5).map { Float($0) }, width: 20)
        // More than share a reading.
        let queries = (0..<37).map { _ in numbers.floats(20, scale: 3) }
        let together = try NearestNeighbors.nearest(
            to: queries, in: features, count: 40, metric: metric, parallel: Parallel(threads: 3))
        for (query, neighbors) in zip(queries, together) {
            let alone = try NearestNeighbors.nearest(
                to: [query], in: features, count: 40, metric: metric, parallel: Parallel(threads: 1))
            #expect(alone == [neighbors])
        }
    }

    @Test("zero vectors are like nothing: their cosine is 0, between those of either sign")
    func zeroCosine() throws {
        let features = FeatureRows([0, 0, -1, 0, 1, 1, 0, 0, 2, 0, 0, 1], width: 2)
        let found = try NearestNeighbors.nearest(
            to: [[3, 0], [0, 0]], in: features, count: 6, metric: .cosine, parallel: parallel)
        #expect(found[0].indices == [4, 2, 0, 3, 5, 1])
        #expect(found[0].measures == [1, 0.5.squareRoot(), 0, 0, 0, -1])
        #expect(found[1] == Neighbors(indices: [0, 1, 2, 3, 4, 5], measures: [0, 0, 0, 0, 0, 0]))
    }

    @Test("the search stops wherever it is interrupted, and asks often")
    func interruptedAnywhere() throws {
        var numbers = SeededNumbers(12)
        let features = FeatureRows(numbers.floats(20_000 * 100), width: 100)
        let queries = (0..<5).map { _ in numbers.floats(100) }
        // Kept from the first search on.
        _ = try features.squaredNorms(parallel: parallel, interruption: .never)
        let asked = Atomic(0)
        func search(_ interruption: Interruption) throws {
            for metric in NeighborMetric.allCases {
                _ = try NearestNeighbors.nearest(
                    to: queries, in: features, count: 9000, metric: metric, parallel: Parallel(threads: 1),
                    interruption: interruption)
            }
        }
        try search(Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue < 0 })
        let questions = asked.load(ordering: .relaxed)
        #expect(questions > 100)
        for limit in [1, 2, 70, 80, questions / 3, questions / 2, questions] {
            asked.store(0, ordering: .relaxed)
            #expect(throws: Interrupted()) {
                try search(Interruption { asked.wrappingAdd(1, ordering: .relaxed).newValue >= limit })
            }
        }
    }

    @Test("the search stops when interrupted")
    func interrupted() {
        #expect(throws: Interrupted()) {
            try NearestNeighbors.indices(
                of: [1], in: FeatureRows([1, 2, 3], width: 1), count: 1, parallel: parallel, interruption: Interruption { true })
        }
    }

    @Test("a query of another width is a programmer's error")
    func width() async {
        await #expect(processExitsWith: .failure) {
            _ = try NearestNeighbors.indices(
                of: [1, 2], in: FeatureRows([1, 2, 3], width: 1), count: 1, parallel: Parallel(threads: 1))
        }
    }
}
