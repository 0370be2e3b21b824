import CBandwidth
import Dispatch
import Foundation
import InverseCurvature
import LinearAlgebra

/// The speeds that the README states, as ratios measured in one run: against memory bandwidth, against the work on one thread, and
/// against PyTorch where an interpreter that has it is named by `PEERS_PYTHON`. With `solvers` in place of the script, what each part of
/// a solver buys instead; with `methods`, what every method's answers cost, or some parts of that.
///
///     Ratios SHARED TORCH_PEER_SCRIPT
///     Ratios SHARED solvers
///     Ratios SHARED methods METHODS_PEER_SCRIPT [tracin] [relatif] [warm]
///     Ratios SHARED neighbors NEIGHBORS_PEER_SCRIPT
@main
struct Ratios {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, FileManager.default.fileExists(atPath: arguments[1] + "/data/mnist") else {
            print("the MNIST files are not here: skipped")
            return
        }
        let parallel = Parallel(threads: ProcessInfo.processInfo.activeProcessorCount)
        print(BLASLibrary.current.description, "|", VectorUnit.current, "|", parallel.threads, "threads")
        if arguments[2] == "methods" {
            let parts = arguments.count > 4 ? Array(arguments[4...]) : MethodRatios.parts
            let peer = try parts.contains("tracin") && arguments.count > 3 ? peer(arguments[3], data: arguments[1]) : nil
            return try MethodRatios.run(parts, shared: arguments[1], peer: peer, parallel)
        }
        if arguments[2] == "neighbors" {
            let data = ProcessInfo.processInfo.environment["PEERS_HOME"] ?? ""
            return try NeighborRatios.run(data: data, script: arguments.count > 3 ? arguments[3] : "", parallel)
        }
        let mnist = try MNIST(shared: arguments[1], parallel: parallel)
        if arguments[2] == "solvers" { return try solverTables(mnist, shared: arguments[1], parallel) }
        let peer = try peer(arguments[2], data: arguments[1])
        try solvers(mnist, peer, parallel)
        try scan(mnist, peer, parallel)
        try NetworkRatios(shared: arguments[1], features: mnist.features).run(peer, parallel)
        try encodedScan(parallel)
    }

    /// PyTorch's side, where there is an interpreter for it.
    static func peer(_ script: String, data: String) throws -> TorchPeer? {
        try ProcessInfo.processInfo.environment["PEERS_PYTHON"].flatMap {
            try TorchPeer(interpreter: $0, script: script, data: data)
        }
    }

    private static func solvers(_ mnist: MNIST, _ peer: TorchPeer?, _ parallel: Parallel) throws {
        let batch32 = LiSSA.Choice(recursionDepth: 1_000, numRepeat: 4, batchSize: 32, scale: 5)
        let batch1 = LiSSA.Choice(recursionDepth: 1_000, numRepeat: 4, batchSize: 1, scale: 25)
        var cases = Interleaved()
        cases.add("lissa, batch 32") { _ = try mnist.lissa(batch32, parallel: parallel) }
        cases.add("lissa, batch 32, one thread") { _ = try mnist.lissa(batch32, parallel: Parallel(threads: 1)) }
        cases.add("lissa, batch 1") { _ = try mnist.lissa(batch1, parallel: parallel) }
        cases.add("lissa, default settings") { _ = try mnist.lissa(LiSSA.Choice(), parallel: parallel) }
        if let peer {
            cases.addMeasured("torch lissa, batch 32") { try peer.milliseconds("lissa-32") }
            cases.addMeasured("torch lissa, batch 1") { try peer.milliseconds("lissa-1") }
        }
        try cases.run(rounds: 5)
        print("\ns_test of one MNIST test, 1,000 steps and 4 repeats where no more is said")
        cases.report()
        for (name, choice) in [("batch 32", batch32), ("batch 1", batch1), ("default", LiSSA.Choice())] {
            let solution = try mnist.lissa(choice, parallel: parallel)
            print(String(format: "  error %.4f, residual %.4f: ", mnist.error(of: solution), solution.residuals[0]) + name)
        }
        ratio("torch / ours, batch 32", cases["torch lissa, batch 32"], cases["lissa, batch 32"], atLeast: 20)
        ratio("torch / ours, batch 1", cases["torch lissa, batch 1"], cases["lissa, batch 1"], atLeast: 50)
        ratio("one thread / all, batch 32", cases["lissa, batch 32, one thread"], cases["lissa, batch 32"])
    }

    private static func solverTables(_ mnist: MNIST, shared: String, _ parallel: Parallel) throws {
        try mnist.solverTable(parallel).run()
        try NetworkRatios(shared: shared, features: mnist.features).solverTable(shared: shared, parallel).run()
        for choice in [LiSSA.Choice(recursionDepth: 1_000, numRepeat: 4, batchSize: 32, scale: 5), .init(numRepeat: 4)] {
            var cases = Interleaved()
            for threads in [1, 2] {
                cases.add("\(threads) threads") { _ = try mnist.lissa(choice, parallel: Parallel(threads: threads)) }
            }
            try cases.run(rounds: 9)
            let solutions = try [1, 2].map { try mnist.lissa(choice, parallel: Parallel(threads: $0)) }
            print(
                "\nlissa with 4 repeats, \(solutions[0] == solutions[1] ? "the same bits" : "OTHER BITS") on one thread and two")
            cases.report()
            ratio("one thread / two", cases["1 threads"], cases["2 threads"], atLeast: 1.8)
        }
    }

    private static func scan(_ mnist: MNIST, _ peer: TorchPeer?, _ parallel: Parallel) throws {
        let buffer = AlignedMemory<UInt64>(repeating: 1, count: (1 << 30) / 8)
        let pieces = Parallel.ranges(of: buffer.count, pieces: 64)
        let direction = mnist.reference
        let bytes = Double(mnist.features.byteCount + mnist.gradients.residuals.count * 4)
        var cases = Interleaved()
        cases.add("reading 1 GiB") {
            let sums = AlignedMemory<UInt64>(repeating: 0, count: pieces.count)
            try parallel.forEach(pieces.count) { piece in
                sums.start[piece] = influenced_sum(buffer.start + pieces[piece].lowerBound, pieces[piece].count)
            }
            precondition(sums.elements.reduce(0, +) == UInt64(buffer.count))
        }
        cases.add("our scan of 55,000 rows") { _ = try mnist.gradients.scores(along: direction, parallel: parallel) }
        if let peer {
            cases.addMeasured("torch X @ S, the product alone") { try peer.milliseconds("product") }
            cases.addMeasured("torch scores") { try peer.milliseconds("scores") }
        }
        try cases.run(rounds: 15)
        print("\nscores of 55,000 MNIST rows")
        cases.report()
        let bandwidth = cases["reading 1 GiB"].map { Double(1 << 30) / $0 / 1e6 }
        let reached = cases["our scan of 55,000 rows"].map { bytes / $0 / 1e6 }
        print(
            String(
                format: "  %.1f GB/s read bandwidth, %.1f GB/s reached over %.1f MB", bandwidth ?? 0, reached ?? 0, bytes / 1e6))
        ratio("scan / read bandwidth", reached, bandwidth, atLeast: 0.6)
        ratio("torch's product / our scan", cases["torch X @ S, the product alone"], cases["our scan of 55,000 rows"], atLeast: 1)
    }

    static func ratio(_ name: String, _ a: Double?, _ b: Double?, atLeast bound: Double? = nil) {
        guard let a, let b else {
            print("  (no \(name): set PEERS_PYTHON to an interpreter that has what the peer imports)")
            return
        }
        let wanted = bound.map { String(format: " (wanted: at least %g)%@", $0, a / b >= $0 ? "" : "  NOT REACHED") } ?? ""
        print(String(format: "  %8.2f ×  ", a / b) + name + wanted)
    }
}
