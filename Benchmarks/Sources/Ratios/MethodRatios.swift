import CBandwidth
import Dispatch
import Formats
import Foundation
import JSON
import LinearAlgebra
import Service

/// Every method as a request has it, without HTTP: TracInCP beside captum's, RelatIF's denominators from nothing, and what a question costs
/// that finds everything in memory, beside reading what it reads.
struct MethodRatios {
    let shared: String
    let folder: String
    let parallel: Parallel
    /// Tests of the fixtures, rows of the t10k file.
    let softmaxTests, networkTests: [Int]

    /// What can be measured for itself.
    static let parts = ["tracin", "relatif", "warm"]

    private static let exampleCount = 55_000
    private static let featureBytes = exampleCount * 784

    init(shared: String, folder: String, parallel: Parallel) throws {
        (self.shared, self.folder, self.parallel) = (shared, folder, parallel)
        softmaxTests = try TensorFile.read(path: shared + "/fixtures/mnist-softmax/test_idx.npy").integers()
        networkTests = try TensorFile.read(path: shared + "/fixtures/mnist-mlp/test_idx.npy").integers()
    }

    /// Makes a store in a folder of its own, which is gone afterwards, and measures some parts.
    static func run(_ parts: [String], shared: String, peer: TorchPeer?, _ parallel: Parallel) throws {
        let folder = NSTemporaryDirectory() + "influenced-methods-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let ratios = try MethodRatios(shared: shared, folder: folder, parallel: parallel)
        try MethodStore.make(at: folder + "/made.sqlite", shared: shared)
        if parts.contains("tracin") { try ratios.tracin(peer) }
        if parts.contains("relatif") { try ratios.relatif() }
        if parts.contains("warm") { try ratios.warm(parts.filter { !Self.parts.contains($0) }) }
    }

    /// A copy of the store from which nothing has been derived yet.
    private func fresh(_ name: String) throws -> MethodStore {
        let path = "\(folder)/\(name).sqlite"
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: folder + "/made.sqlite", toPath: path)
        return try MethodStore(at: path, parallel: parallel)
    }

    private func tracin(_ peer: TorchPeer?) throws {
        var cached = try fresh("cached")
        let uncached = try fresh("uncached")
        let start = DispatchTime.now()
        _ = try cached.cache(MethodStore.path, .factored)
        let building = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e6
        let question = #""method": "tracin_cp", "checkpoints": "all""#
        var cases = Interleaved()
        cases.add("ours, from factored caches") { try cached.ask(MethodStore.path, test: networkTests[0], question) }
        cases.add("ours, without caches") { try uncached.ask(MethodStore.path, test: networkTests[0], question) }
        let names = ["captum's TracInCPFast, the last layer alone", "torch, factors by hand"]
        if let peer {
            for (name, each) in zip(names, ["fast", "factors"]) { cases.addMeasured(name) { try peer.milliseconds(each) } }
        }
        try cases.run(rounds: 7)
        print("\ntracin_cp of one test over three checkpoints of the network 784-128-10, 55,000 examples")
        cases.report()
        // Once: it takes most of a minute.
        let captum = try peer?.milliseconds("tracin")
        if let captum { print(String(format: "  %10.3f ms  captum's TracInCP, once", captum)) }
        print(String(format: "  %10.3f ms  building the three caches, once", building))
        let reference = try TensorFile.read(path: shared + "/fixtures/mnist-mlp/tracincp_scores.npy").floats()
        for (name, store) in [("from caches", cached), ("without caches", uncached)] {
            for (place, test) in networkTests.enumerated() {
                let scores = try store.scores(MethodStore.path, test: test, question)
                let expected = Array(reference[place * Self.exampleCount..<(place + 1) * Self.exampleCount])
                let largest = expected.reduce(0) { max($0, abs($1)) }
                let error = zip(scores, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
                print(
                    String(
                        format: "  error at most %.2g of the largest score, Pearson %.9f: ", error / largest,
                        pearson(scores, expected))
                        + "\(name), test \(test)")
            }
        }
        for ours in ["ours, from factored caches", "ours, without caches"] {
            Ratios.ratio("captum's TracInCP / \(ours)", captum, cases[ours], atLeast: 100)
            Ratios.ratio("captum's TracInCPFast / \(ours)", cases[names[0]], cases[ours], atLeast: 1)
            Ratios.ratio("torch by hand / \(ours)", cases[names[1]], cases[ours])
        }
    }

    private func relatif() throws {
        print(
            "\nboth RelatIF denominators of 55,000 examples of softmax regression, a question that finds the model in memory and no more"
        )
        for (solver, rounds, bound) in [("ekfac", 3, 5_000.0), ("exact", 1, 60_000.0)] {
            var times: [Double] = []
            for _ in 0..<rounds {
                let store = try fresh("relatif")
                try store.ask(MethodStore.softmax, test: softmaxTests[0], #""method": "gradient_dot""#)
                let start = DispatchTime.now()
                try store.ask(
                    MethodStore.softmax, test: softmaxTests[0],
                    #""method": "relatif", "solver": {"name": "\#(solver)"}, "denominators": {"name": "\#(solver)"}"#)
                times.append(Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e6)
            }
            let median = times.sorted()[times.count / 2]
            print(String(format: "  %10.3f ms  ", median) + "\(solver), preparing the solver, the norms, keeping both, one test")
            Ratios.ratio("\(bound / 1e3) s / by \(solver)", bound, median, atLeast: 1)
        }
    }

    /// What a method is asked, and the bytes it has to read for an answer.
    private struct Query {
        let model, name, fields: String
        let bytes: Int
        var title: String { "\(model): \(name)" }
    }

    /// - Parameter chosen: words of which those questions have all that are to be measured.
    private func warm(_ chosen: [String]) throws {
        var store = try fresh("warm")
        let factored = try store.cache(MethodStore.network, .factored)
        _ = try store.cache(MethodStore.path, .factored)
        let normal = try store.cache(
            MethodStore.softmax,
            GradientCacheKind(form: "projected", encoding: nil, projection: "normal", dimension: 512, seed: nil))
        let rank1 = try store.cache(
            MethodStore.network,
            GradientCacheKind(form: "projected", encoding: nil, projection: "rank1", dimension: 529, seed: nil))
        func bytes(_ model: String, _ cache: String) -> Int { store.cacheBytes["\(model) \(cache)"] ?? 0 }
        let rows = Self.exampleCount * MemoryLayout<Float>.stride
        // By the last hidden layer where there is one, else by the input.
        let features = [MethodStore.softmax: Self.featureBytes, MethodStore.network: 128 * rows]
        let factors = [
            MethodStore.softmax: Self.featureBytes + 10 * rows,
            MethodStore.network: Self.featureBytes + bytes(MethodStore.network, factored),
        ]
        let lastLayer = [MethodStore.softmax: Self.featureBytes + 10 * rows, MethodStore.network: (128 + 10) * rows]
        let projected = [MethodStore.softmax: normal, MethodStore.network: rank1]
        let solver = [
            MethodStore.softmax: #""solver": {"name": "exact"}"#,
            MethodStore.network: #""damping": 0.01, "solver": {"name": "cg", "tol": 0.01}"#,
        ]
        var queries: [Query] = []
        for model in [MethodStore.softmax, MethodStore.network] {
            func add(_ name: String, _ fields: String, _ bytes: Int?) {
                queries.append(Query(model: model, name: name, fields: fields, bytes: bytes ?? 0))
            }
            add("influence, s_test kept", #""method": "influence", \#(solver[model]!)"#, factors[model])
            let denominators = #""denominators": {"name": "ekfac"}"#
            add(
                "relatif, s_test kept", #""method": "relatif", \#(solver[model]!), \#(denominators)"#,
                factors[model].map { $0 + rows })
            add("gradient_dot", #""method": "gradient_dot""#, factors[model])
            add("gradient_cosine", #""method": "gradient_cosine""#, factors[model].map { $0 + rows })
            add("tracin_cp", #""method": "tracin_cp""#, factors[model])
            add("representer_point", #""method": "representer_point""#, lastLayer[model])
            if InfluenceRequest.methods.contains("nearest_neighbor") {
                add("nearest_neighbor", #""method": "nearest_neighbor""#, features[model])
            }
            let cache = bytes(model, projected[model]!)
            add("trak, projected cache", #""method": "trak", "gradients": "\#(projected[model]!)""#, cache)
            add("gradient_dot, projected cache", #""method": "gradient_dot", "gradients": "\#(projected[model]!)""#, cache)
        }
        queries.append(
            Query(
                model: MethodStore.path, name: "tracin_cp, three checkpoints", fields: #""method": "tracin_cp""#,
                bytes: 3 * Self.featureBytes + bytes(MethodStore.path, factored)))
        try warm(queries.filter { query in chosen.allSatisfy { query.title.contains($0) } }, in: store)
    }

    private func warm(_ queries: [Query], in store: MethodStore) throws {
        let words = AlignedMemory<UInt64>(repeating: 1, count: (queries.map(\.bytes).max() ?? 0) / 8 + 8)
        var cases = Interleaved()
        for query in queries {
            let test = query.model == MethodStore.softmax ? softmaxTests[0] : networkTests[0]
            let name = query.title
            cases.add(name) { try store.ask(query.model, test: test, query.fields) }
            cases.add(name + ", reading") { try read(query.bytes, of: words) }
        }
        try cases.run(rounds: queries.count > 1 ? 15 : 1_500)
        print("\na question that finds all in memory, k = 10, beside reading the bytes that it has to read")
        for query in queries {
            let name = query.title
            guard let ours = cases[name], let reading = cases[name + ", reading"] else { continue }
            print(
                String(
                    format: "  %9.3f ms  %8.3f ms for %6.1f MB  %6.2f ×  ", ours, reading, Double(query.bytes) / 1e6,
                    ours / reading)
                    + name + (ours > 1.5 * reading ? "  (wanted: at most 1.5)" : ""))
        }
    }

    private func read(_ bytes: Int, of words: AlignedMemory<UInt64>) throws {
        let pieces = Parallel.ranges(of: bytes / 8, pieces: 64)
        let sums = AlignedMemory<UInt64>(repeating: 0, count: pieces.count)
        try parallel.forEach(pieces.count) { piece in
            sums.start[piece] = influenced_sum(words.start + pieces[piece].lowerBound, pieces[piece].count)
        }
        precondition(sums.elements.reduce(0, +) == UInt64(bytes / 8))
    }

    private func pearson(_ a: [Float], _ b: [Float]) -> Double {
        let (x, y) = (a.map(Double.init), b.map(Double.init))
        let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
        var (xy, xx, yy) = (0.0, 0.0, 0.0)
        for (x, y) in zip(x, y) {
            xy += (x - meanX) * (y - meanY)
            xx += (x - meanX) * (x - meanX)
            yy += (y - meanY) * (y - meanY)
        }
        return xy / (xx * yy).squareRoot()
    }
}
