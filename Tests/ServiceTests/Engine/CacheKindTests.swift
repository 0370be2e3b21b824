import LinearAlgebra
import Testing

@testable import Service

@Suite("Kinds of gradient caches")
struct CacheKindTests {
    @Test("a kind is told by its name, and all names differ")
    func names() throws {
        for name in CacheBench.names { #expect(try CacheBench.kind(name).name == name) }
        #expect(Set(CacheBench.names).count == CacheBench.names.count)
    }

    @Test(
        "what is no kind's own name is none",
        arguments: [
            "", "exact", "dense", "factored-float32", "dense-float64", "Dense-int8", "dense-int8-", "projected",
            "projected-normal-64-seed1", "projected-normal-064-seed1-int8", "projected-normal-64-seed01-int8",
            "projected-normal-64-seed-1-int8", "projected-normal--64-seed1-int8", "projected-normal-0-seed1-int8",
            "projected-rank1-65-seed1-int8", "projected-rank2-64-seed1-int8", "projected-normal-64-seed+1-int8",
            "projected-normal-99999999999999999999-seed1-int8", "projected-normal-64-seed99999999999999999999-int8",
        ])
    func noNames(name: String) { #expect(GradientCacheKind(name: name) == nil) }

    @Test("options make the kind of the name they lead to")
    func options() throws {
        func name(_ form: String, _ dtype: String? = nil, _ type: String? = nil, _ dimension: Int? = nil, _ seed: Int? = nil)
            throws -> String
        {
            try GradientCacheKind(form: form, encoding: dtype, projection: type, dimension: dimension, seed: seed).name
        }
        #expect(try name("factored") == "factored")
        #expect(try name("factored", "float32") == "factored")
        #expect(try name("dense") == "dense-float32")
        #expect(try name("dense", "int8") == "dense-int8")
        #expect(try name("projected", nil, nil, 512) == "projected-normal-512-seed0-float32")
        #expect(try name("projected", "bfloat16", "rank1", 529, 7) == "projected-rank1-529-seed7-bfloat16")
        #expect(try name("projected", "float16", "sjlt", 1, .max) == "projected-sjlt-1-seed\(Int.max)-float16")
    }

    @Test(
        "options that do not go together are refused, naming the one that is wrong",
        arguments: [
            ("what", nil, nil, nil, nil, "kind"), ("dense", "float64", nil, nil, nil, "dtype"),
            ("factored", "int8", nil, nil, nil, "dtype"), ("factored", nil, nil, 5, nil, "projection-dim"),
            ("dense", nil, "sjlt", nil, nil, "proj-type"), ("dense", nil, nil, nil, 0, "proj-seed"),
            ("projected", nil, nil, nil, nil, "projection-dim"), ("projected", nil, nil, 0, nil, "projection-dim"),
            ("projected", nil, nil, -4, nil, "projection-dim"), ("projected", nil, "sjlt", 1 << 40, nil, "projection-dim"),
            ("projected", nil, "rank1", 500, nil, "projection-dim"), ("projected", nil, "gauss", 5, nil, "proj-type"),
            ("projected", nil, nil, 5, -1, "proj-seed"),
        ] as [(String, String?, String?, Int?, Int?, String)])
    func flaws(form: String, dtype: String?, type: String?, dimension: Int?, seed: Int?, option: String) {
        #expect {
            try GradientCacheKind(form: form, encoding: dtype, projection: type, dimension: dimension, seed: seed)
        } throws: { error in
            (error as? GradientCacheKind.Flaw)?.option == option && "\(error)".hasPrefix("--\(option) ")
        }
    }
}
