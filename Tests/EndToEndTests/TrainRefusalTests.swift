import Foundation
import JSON
import TestSupport
import Testing

@Suite("Training that is refused")
struct TrainRefusalTests {
    /// Options of which one is wrong, and what must be said of it.
    static let usage: [([String], String)] = [
        (["--optimizer", "lion"], "--optimizer"), (["--epochs", "0"], "--epochs"), (["--epochs=-3"], "--epochs"),
        (["--epochs", "2000000000"], "--epochs"), (["--epochs", "many"], "--epochs"),
        (["--gradient-norm=-1"], "--gradient-norm"), (["--gradient-norm", "nan"], "--gradient-norm"),
        (["--gradient-norm", "inf"], "--gradient-norm"), (["--seed=-1"], "--seed"),
        (["--seed", "18446744073709551616"], "--seed"), (["--history", "0"], "--history"),
        (["--learning-rate", "0.1"], "--learning-rate is for sgd and adam"), (["--momentum", "0.9"], "--momentum is for sgd"),
        (["--nesterov"], "--nesterov is for sgd"), (["--batch-size", "10"], "--batch-size"),
        (["--schedule", "cosine"], "--schedule"),
        (["--beta1", "0.9"], "--beta1 is for adam"), (["--eps", "1e-8"], "--eps"), (["--max-products", "3"], "--max-products"),
        (["--no-measure-epochs"], "--no-measure-epochs"), (["--optimizer", "newton_cg", "--history", "3"], "--history"),
        (["--optimizer", "newton_cg", "--max-products", "0"], "--max-products"),
        (["--optimizer", "sgd", "--learning-rate", "0"], "--learning-rate"),
        (["--optimizer", "sgd", "--learning-rate", "1e-60"], "--learning-rate"),
        (["--optimizer", "sgd", "--learning-rate", "nan"], "--learning-rate"),
        (["--optimizer", "sgd", "--momentum", "1"], "--momentum"), (["--optimizer", "sgd", "--nesterov"], "--nesterov"),
        (["--optimizer", "sgd", "--batch-size", "0"], "--batch-size"),
        (["--optimizer", "sgd", "--batch-size", "some"], "--batch-size"),
        (["--optimizer", "adam", "--beta1", "1"], "--beta1"), (["--optimizer", "adam", "--beta2=-0.1"], "--beta2"),
        (["--optimizer", "adam", "--eps", "0"], "--eps"), (["--optimizer", "adam", "--momentum", "0.9"], "--momentum"),
        (["--optimizer", "sgd", "--schedule", "linear"], "--schedule"), (["--optimizer", "sgd", "--schedule", ""], "--schedule"),
        (["--optimizer", "sgd", "--schedule", "step:0:0.5"], "--schedule"),
        (["--optimizer", "sgd", "--schedule", "step:2"], "--schedule"),
        (["--optimizer", "sgd", "--schedule", "step:2:1.5"], "--schedule"),
        (["--optimizer", "sgd", "--schedule", "cosine:5:9"], "--schedule"),
        (["--optimizer", "sgd", "--schedule", "cosine:5:0:1"], "--schedule"),
        (["--optimizer", "sgd", "--no-measure-epochs", "--gradient-norm", "1e-3"], "--gradient-norm"),
        (["--checkpoint-every", "0"], "--checkpoint-every"), (["--checkpoints-at", "1,,2"], "--checkpoints-at"),
        (["--checkpoints-at", "1,x"], "--checkpoints-at"), (["--checkpoints-at=-1"], "--checkpoints-at"),
        (["--checkpoints-at", ""], "--checkpoints-at"), (["--epochs", "5", "--checkpoints-at", "6"], "--checkpoints-at"),
        (["--largest-falls", "0"], "--largest-falls"), (["--largest-falls", "20000"], "--largest-falls"),
        (["--largest-falls", "2", "--largest-falls-from", "0"], "--largest-falls-from"),
        (["--largest-falls-from", "2"], "--largest-falls-from"),
        (["--epochs", "5", "--largest-falls", "2", "--largest-falls-from", "6"], "--largest-falls-from: there is no epoch 6"),
        (["--checkpoint-every", "2", "--largest-falls", "2"], "--largest-falls"),
        (["--checkpoint-every", "2", "--checkpoints-at", "2"], "--checkpoints-at"), (["--save-every=-1"], "--save-every"),
        (["--save-every", "nan"], "--save-every"), (["--sedd", "1"], "--sedd"),
    ]

    @Test("wrong settings are refused with 2 and the option's name, before anything else", arguments: usage)
    func wrongUsage(options: [String], mention: String) throws {
        let process = try InfluencedProcess(
            ["train", "--store", "/nowhere/x", "--name", "n", "--spec", "/nowhere/s", "--dataset", "d"] + options)
        #expect(try process.wait() == .exited(2))
        #expect(process.standardOutput.isEmpty)
        #expect(process.standardError.contains(mention), "\(process.standardError)")
        #expect(process.standardError.contains("Usage: influenced train"))
    }

    @Test("what is needed must be given", arguments: ["--store", "--name", "--spec", "--dataset"])
    func missing(option: String) throws {
        var options = ["--store", "x", "--name", "n", "--spec", "s", "--dataset", "d"]
        let place = try #require(options.firstIndex(of: option))
        options.removeSubrange(place..<place + 2)
        let process = try InfluencedProcess(["train"] + options)
        #expect(try process.wait() == .exited(2))
        #expect(process.standardError.contains(option))
    }

    @Test("names, files and data that don't do are refused with 2, and nothing is written")
    func badInput() throws {
        let small = try TrainBench.small()
        let bench = small.bench
        try bench.write("broken.json", "{")
        try bench.write(
            "unknown.json", #"{"layers": [{"type": "linear2"}], "loss": {"type": "cross_entropy"}, "weight_decay": 0}"#)
        try bench.write("narrow.json", SmallProblem.spec.replacing("\"out_features\": 3", with: "\"out_features\": 2"))
        try bench.write("wide.json", SmallProblem.spec.replacing("\"in_features\": 3", with: "\"in_features\": 4"))
        try bench.write(
            "frozen.json", SmallProblem.spec.replacing("\"bias\": true", with: "\"bias\": true, \"trainable\": false"))
        try bench.write("other.safetensors", ArrayFile.safetensors([("0.weight", [1, 2], [1, 2]), ("0.bias", [1], [1])]))
        try bench.write("half.safetensors", ArrayFile.safetensors([("0.bias", [1, 2, 3], [3])]))
        for (options, mentions) in [
            (["--spec", "@no.json"], ["no.json"]), (["--spec", "@broken.json"], ["broken.json", "JSON"]),
            (["--spec", "@unknown.json"], ["unknown.json", "linear2"]), (["--spec", "@narrow.json"], ["narrow.json", "0 to 1"]),
            (["--spec", "@wide.json"], ["wide.json"]), (["--spec", "@frozen.json"], ["frozen.json", "trainable"]),
            (["--dataset", "smal"], ["smal", "small"]), (["--name", "a/b"], ["a/b"]), (["--name", ""], ["name"]),
            (["--from", "@no.safetensors"], ["no.safetensors"]), (["--from", "@other.safetensors"], ["0.weight", "[1, 2]"]),
            (["--from", "@half.safetensors"], ["0.weight", "missing"]), (["--from", "@spec.json"], ["spec.json"]),
        ] {
            try bench.refuse(small.arguments("bad", options), mentions)
        }
        let server = try bench.serve()
        #expect(try server.get("/models").json.list("models").map { $0["name"] } == ["small"])
        #expect(try !FileManager.default.contentsOfDirectory(atPath: bench.folder.url.path).contains { $0.contains(".training") })
        let nowhere = try influenced("train", "--store", "/nowhere/x", "--name", "n", "--spec", "s", "--dataset", "d")
        #expect(nowhere.ending == .exited(2) && nowhere.standardError.contains("/nowhere/x"))
    }

    @Test("a model that is there is refused, whether it was trained or imported")
    func modelExists() throws {
        let small = try TrainBench.small()
        try small.bench.refuse(small.arguments("small", []), ["'small'", "final", "--name"])
        try small.train("new", ["--epochs", "2"])
        let before = try small.checkpoints("new")
        for more in [[], ["--restart"], ["--seed", "3"]] {
            try small.bench.refuse(small.arguments("new", ["--epochs", "2"] + more), ["'new'", "final", "--name"])
        }
        try small.bench.write("other.json", SmallProblem.spec.replacing("0.05", with: "0.06"))
        try small.bench.refuse(small.arguments("new", ["--spec", "@other.json"]), ["'new'", "spec"])
        #expect(try small.checkpoints("new") == before)
    }

    @Test("a run that diverges ends with 1 and the learning rate, and another can begin under its name")
    func diverges() throws {
        let small = try TrainBench.small()
        let result = try small.run("wild", ["--optimizer", "sgd", "--learning-rate", "1e25"])
        #expect(result.ending == .exited(1))
        #expect(result.standardError.contains("diverged") && result.standardError.contains("1e+25"))
        try small.train("wild", ["--optimizer", "sgd", "--learning-rate", "0.1"])
    }
}
