import CBandwidth
import Foundation
import LinearAlgebra

extension Ratios {
    /// The scan of a projected cache, 131,072 rows of 1,024 numbers kept each way, against reading memory: no part of it fits a cache.
    static func encodedScan(_ parallel: Parallel) throws {
        let (count, width) = (1 << 17, 1024)
        var random = RandomStream(seed: 1)
        let few = (0..<64 * width).map { _ in Float(random.nextNormal()) }
        let vectors = (0..<64 * width).map { _ in Float(random.nextNormal()) }
        var caches: [(encoding: RowEncoding, memory: AlignedMemory<UInt8>)] = []
        for encoding in RowEncoding.allCases {
            let memory = try AlignedMemory<UInt8>(uninitialized: encoding.byteCount(rows: count, width: width))
            let stride = try encoding.byteCount(rows: 64, width: width)
            for block in 0..<count / 64 {
                try encoding.encode(rows: few, count: 64, width: width, into: memory.start + block * stride)
            }
            caches.append((encoding, memory))
        }
        let words = caches[0].memory.count / 8
        let pieces = Parallel.ranges(of: words, pieces: 64)
        let floats = UnsafeRawPointer(caches[0].memory.start).assumingMemoryBound(to: UInt64.self)
        nonisolated(unsafe) let start = floats
        let scores = AlignedMemory<Float>(repeating: 0, count: count * 64)
        var cases = Interleaved()
        cases.add("reading 512 MiB") {
            let sums = AlignedMemory<UInt64>(repeating: 0, count: pieces.count)
            try parallel.forEach(pieces.count) { piece in
                sums.start[piece] = influenced_sum(start + pieces[piece].lowerBound, pieces[piece].count)
            }
            precondition(sums.elements.reduce(0, &+) != 0)
        }
        for (encoding, memory) in caches {
            let rows = try EncodedRows(
                UnsafeRawBufferPointer(memory.elements), count: count, width: width, encoding: encoding)
            for several in [1, 64] where several == 1 || encoding == .float32 || encoding == .int8 {
                cases.add("\(encoding.rawValue), \(several)") {
                    try rows.score(
                        along: vectors, vectorCount: several, into: scores.start, stride: count, parallel: parallel)
                }
            }
        }
        try cases.run(rounds: 9)
        print("\nscores of 131,072 rows of 1,024 numbers along 1 vector, and along 64")
        cases.report()
        let bandwidth = cases["reading 512 MiB"].map { Double(words * 8) / $0 / 1e6 }
        print(String(format: "  %.1f GB/s read bandwidth", bandwidth ?? 0))
        for (encoding, memory) in caches {
            let reached = cases["\(encoding.rawValue), 1"].map { Double(memory.count) / $0 / 1e6 }
            print(String(format: "  %.1f GB/s reached over %.1f MB", reached ?? 0, Double(memory.count) / 1e6))
            let isPromised = encoding == .float32 || encoding == .int8
            ratio("scan of \(encoding.rawValue) / read bandwidth", reached, bandwidth, atLeast: isPromised ? 0.7 : nil)
        }
        ratio("float32 / int8", cases["float32, 1"], cases["int8, 1"], atLeast: 3)
        ratio("64 scans of float32 / one along 64 vectors", cases["float32, 1"].map { 64 * $0 }, cases["float32, 64"], atLeast: 1)
    }
}
