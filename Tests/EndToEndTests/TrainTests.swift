import Foundation
import JSON
import TestSupport
import Testing

@Suite("Training")
struct TrainTests {
    @Test("checkpoints are kept at the epochs asked for, with what is known of them, and the last is final")
    func checkpoints() throws {
        let bench = try TrainBench.digits()
        let options = ["--optimizer", "sgd", "--learning-rate", "0.1", "--momentum", "0.9", "--batch-size", "100"]
        let said = try bench.train("some", options + ["--epochs", "6", "--checkpoints-at", "0,1,4", "--schedule", "step:2:0.5"])
        #expect(said.contains("1210 parameters, 1397 examples"))
        #expect(said.contains("all epochs are done") && said.contains("gradient norm"))
        try bench.train("every", options + ["--epochs", "5", "--checkpoint-every", "2"])
        try bench.train("last", options + ["--epochs", "2"])
        let all = try bench.checkpoints("some", "every", "last")
        #expect(all[0].map { $0["name"] } == ["epoch-0", "epoch-1", "epoch-4", "final"])
        #expect(all[0].map { $0["epoch"] } == [0, 1, 4, 6])
        #expect(all[0].map { $0["step"] } == [0, 14, 56, 84])
        #expect(all[0].map { $0["learning_rate"] } == [0.1, 0.1, 0.05, 0.025])
        let losses = try all[0].map { try $0.number("train_loss") }
        #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 } && losses[0] > 2 && losses[3] < 0.4)
        #expect(all[1].map { $0["name"] } == ["epoch-2", "epoch-4", "final"])
        #expect(all[2].map { $0["name"] } == ["final"])
        #expect(try bench.bench.succeed("check").contains("whole"))

        let solver: JSON = ["name": "lissa", "recursion_depth": 20, "num_repeat": 1]
        let answer = try bench.bench.serve().influence(
            Demo.question(3, ["model": "some", "solver": solver, "damping": 0.1]))
        #expect(try answer["checkpoint"] == "final" && answer.result.list("proponents").count == 10)
    }

    @Test("the largest falls of the loss are those of a run that keeps everything")
    func largestFalls() throws {
        let bench = try TrainBench.digits()
        let options = ["--optimizer", "adam", "--learning-rate", "0.01", "--epochs", "8", "--batch-size", "200", "--seed", "3"]
        try bench.train("all", options + ["--checkpoints-at", "0,1,2,3,4,5,6,7,8"])
        try bench.train("falls", options + ["--largest-falls", "3"])
        try bench.train("later", options + ["--largest-falls", "2", "--largest-falls-from", "4"])
        let kept = try bench.checkpoints("all", "falls", "later")
        let losses = try kept[0].map { try $0.number("train_loss") }
        try #require(losses.count == 9)
        func largest(_ count: Int, from first: Int) -> [Int] {
            let falls = (first...8).map { (epoch: $0, fall: losses[$0 - 1] - losses[$0]) }
            return falls.filter { $0.fall > 0 }.sorted { $0.fall > $1.fall }.prefix(count).map(\.epoch)
        }
        for (checkpoints, chosen) in [(kept[1], largest(3, from: 1)), (kept[2], largest(2, from: 4))] {
            let epochs = Set(chosen + [8]).sorted()
            #expect(checkpoints.map { $0["epoch"]?.integerValue } == epochs)
            for checkpoint in checkpoints {
                #expect(try checkpoint["sha256"] == kept[0][checkpoint.integer("epoch")]["sha256"])
            }
        }
    }

    @Test("every optimiser lowers the loss, and says why it ended")
    func optimizers() throws {
        let bench = try TrainBench.small()
        for (name, options) in [
            ("lbfgs", ["--history", "5"]), ("newton_cg", ["--max-products", "20"]),
            ("sgd", ["--learning-rate", "0.3", "--momentum", "0.5", "--nesterov", "--batch-size", "16", "--epochs", "15"]),
            ("adam", ["--learning-rate", "0.05", "--beta1", "0.8", "--beta2", "0.99", "--eps", "1e-7", "--schedule", "cosine"]),
        ] {
            let said = try bench.train(name, ["--optimizer", name, "--checkpoints-at", "0"] + options)
            let isExact = ["lbfgs", "newton_cg"].contains(name)
            #expect(said.contains("by \(name)") && said.contains(isExact ? "as asked" : "all epochs are done"), "\(said)")
            let checkpoints = try bench.checkpoints(name)[0]
            // The problem is convex: it begins with zeros, from which every class is as likely.
            #expect(try abs(checkpoints[0].number("train_loss") - log(3.0)) < 1e-6)
            #expect(try checkpoints[1].number("train_loss") < 0.9 * log(3.0), "\(name)")
        }
    }

    @Test("a convex problem is trained to its minimum", arguments: ["lbfgs", "newton_cg"])
    func minimum(optimizer: String) throws {
        let bench = try TrainBench.small()
        let problem = SmallProblem()
        let theta = problem.trained(on: Array(0..<SmallProblem.count))
        try bench.train("m", ["--optimizer", optimizer, "--gradient-norm", "1e-6"])
        let tests = zip(problem.testInputs, problem.testTargets).map { input, target in
            JSON.object(["input": .numbers(input), "target": .integer(target)])
        }
        let predictions = try bench.bench.serve().predict(["model": "m", "tests": .array(tests)]).results
        try #require(predictions.count == tests.count)
        for (index, prediction) in predictions.enumerated() {
            let loss = SmallProblem.loss(theta, problem.testInputs[index], problem.testTargets[index])
            #expect(try abs(prediction.number("loss") - loss) < 1e-4 * max(1, loss))
        }
    }

    @Test("it begins with the parameters of a file, and says which of its tensors are not the model's")
    func from() throws {
        let bench = try TrainBench.small()
        let values = (0..<SmallProblem.parameterCount).map { Float($0) / 10 }
        let split = SmallProblem.classes * SmallProblem.width
        let tensors = [
            ("0.weight", Array(values[..<split]), [SmallProblem.classes, SmallProblem.width]),
            ("0.bias", Array(values[split...]), [SmallProblem.classes]),
        ]
        try bench.bench.write("start.safetensors", ArrayFile.safetensors(tensors))
        try bench.bench.write("more.safetensors", ArrayFile.safetensors(tensors + [("1.weight", [1, 2], [2])]))
        try bench.bench.succeed(
            "import", "model", "--name", "imported", "--dataset", "small", "--spec", "@spec.json", "--parameters",
            "@start.safetensors")
        try bench.train("trained", ["--from", "@start.safetensors", "--checkpoints-at", "0", "--epochs", "3"])
        let said = try bench.train("more", ["--from", "@more.safetensors", "--checkpoints-at", "0", "--epochs", "3"])
        #expect(said.contains("1.weight"))
        let checkpoints = try bench.checkpoints("imported", "trained", "more")
        #expect(checkpoints[0][0]["sha256"] == checkpoints[1][0]["sha256"])
        #expect(checkpoints[1].map { $0["sha256"] } == checkpoints[2].map { $0["sha256"] })
    }

    @Test("a seed names the run: the same one ends in the same bits, another in others")
    func seeds() throws {
        let bench = try TrainBench.digits()
        let options = [
            "--optimizer", "sgd", "--epochs", "1", "--batch-size", "all", "--no-measure-epochs", "--checkpoints-at", "0",
        ]
        try bench.train("a", options)
        try bench.train("b", options + ["--seed", "0"])
        try bench.train("c", options + ["--seed", "1"])
        let digests = try bench.checkpoints("a", "b", "c").map { $0.map { $0["sha256"]?.stringValue } }
        #expect(digests[0] == digests[1] && digests[0][0] != digests[2][0] && digests[0][1] != digests[2][1])
    }

    @Test("what is not trained stays as it was, and is spoken of where it was not brought along")
    func frozen() throws {
        let bench = try TrainBench.digits()
        try bench.bench.write(
            "spec.json",
            """
            {"input_shape": [1, 8, 8], "loss": {"type": "cross_entropy"}, "weight_decay": 0.01,
             "layers": [{"type": "conv2d", "name": "filters", "in_channels": 1, "out_channels": 4, "kernel_size": 3, "trainable": false},
                        {"type": "batch_norm2d", "name": "norm", "num_features": 4}, {"type": "relu"}, {"type": "flatten"},
                        {"type": "linear", "name": "top", "in_features": 144, "out_features": 10}]}
            """)
        let said = try bench.train("f", ["--optimizer", "adam", "--epochs", "3", "--learning-rate", "0.01"])
        #expect(said.contains("1458 parameters") && said.contains("filters") && said.contains("batch_norm"))
        #expect(try bench.checkpoints("f")[0][0].number("train_loss") < 1.5)
        #expect(try bench.bench.succeed("check").contains("whole"))
    }
}
