import Foundation
import Glibc
import JSON
import TestSupport
import Testing

@Suite("Training that is interrupted")
struct TrainResumeTests {
    /// Long enough to be interrupted in the middle, and saved as often as can be.
    private static let runs = [
        ["--optimizer", "sgd", "--learning-rate", "0.05", "--momentum", "0.9", "--schedule", "cosine", "--batch-size", "16"],
        ["--optimizer", "adam", "--learning-rate", "0.002", "--batch-size", "16", "--no-measure-epochs"],
        ["--optimizer", "lbfgs", "--gradient-norm", "0"],
    ].map { $0 + ["--epochs", "60", "--checkpoint-every", "5", "--seed", "9", "--save-every", "0"] }

    @Test("killed and interrupted, it goes on and ends in the bits of a run that was left alone", arguments: runs)
    func resumes(options: [String]) throws {
        let bench = try TrainBench.digits()
        try bench.train("whole", options)

        for (signal, name) in [(SIGKILL, "epoch-5"), (SIGINT, "epoch-20"), (SIGTERM, "epoch-35")] {
            let process = try bench.begin("cut", options, until: "'\(name)'")
            process.send(signal)
            let ending = try process.wait()
            // Optimised, it may have been faster than the signal.
            if ending == .exited(0) { break }
            #expect(ending == (signal == SIGKILL ? .signalled(SIGKILL) : .exited(1)))
            #expect(bench.isUnfinished("cut"))
            if signal != SIGKILL {
                #expect(process.standardOutput.contains("going on with the training of 'cut' after epoch"))
                #expect(process.standardError.contains("the same command goes on"), "\(process.standardError)")
            }
            #expect(try bench.checkpoints("cut")[0].last?["name"] != "final")
            #expect(try bench.bench.succeed("check").contains("whole"))
        }
        if bench.isUnfinished("cut") {
            let said = try bench.train("cut", options)
            #expect(said.contains("going on") && !said.contains("'epoch-5'"))
        }
        let (whole, cut) = (try bench.checkpoints("whole")[0], try bench.checkpoints("cut")[0])
        #expect(whole.count == 12 && cut == whole)
    }

    @Test("killed at any time before a checkpoint, it goes on from what was saved", arguments: [0, 7, 19, 40, 90, 200])
    func killedAnywhere(milliseconds: UInt32) throws {
        let bench = try TrainBench.digits()
        let options = ["--optimizer", "sgd", "--epochs", "30", "--batch-size", "8", "--save-every", "0"]
        try bench.train("whole", options)
        for _ in 0..<3 {
            let process = try bench.begin("cut", options, until: "'cut'")
            usleep(milliseconds * 1_000)
            process.send(SIGKILL)
            let ending = try process.wait()
            if ending == .exited(0) { break }
            #expect(ending == .signalled(SIGKILL))
        }
        let last = try bench.run("cut", options)
        #expect(last.ending == .exited(0) || last.standardError.contains("with the checkpoints final"), "\(last)")
        #expect(!bench.isUnfinished("cut"))
        let checkpoints = try bench.checkpoints("whole", "cut")
        #expect(checkpoints[0] == checkpoints[1])
    }

    @Test("other settings are refused with what differs and what to do, and a training that stored nothing can begin again")
    func otherSettings() throws {
        let bench = try TrainBench.digits()
        let options = ["--optimizer", "sgd", "--epochs", "1000", "--batch-size", "16", "--save-every", "0"]
        let process = try bench.begin("cut", options, until: "training")
        let state = bench.statePath("cut")
        #expect(eventually { bench.isUnfinished("cut") })
        try bench.bench.refuse(bench.arguments("cut", options), ["another process", state])
        process.send(SIGINT)
        #expect(try process.wait() == .exited(1))
        try bench.bench.refuse(
            bench.arguments("cut", options + ["--learning-rate", "0.5", "--momentum", "0.9"]),
            ["--learning-rate was 0.01, not 0.5", "--momentum was 0.0, not 0.9", "--restart"])
        try bench.bench.refuse(
            bench.arguments("cut", ["--optimizer", "adam", "--epochs", "1000", "--batch-size", "16"]),
            ["--optimizer was sgd, not adam", "--learning-rate"])
        let said = try bench.train("cut", ["--optimizer", "adam", "--epochs", "2", "--restart"])
        #expect(said.contains("training 'cut' by adam"))
        #expect(try bench.checkpoints("cut")[0].map { $0["epoch"] } == [2])
    }

    @Test("a training whose checkpoints are stored is not begun again under its name")
    func keepsCheckpoints() throws {
        let bench = try TrainBench.digits()
        let options = ["--optimizer", "sgd", "--epochs", "1000", "--checkpoint-every", "2", "--save-every", "0"]
        let process = try bench.begin("cut", options, until: "'epoch-2'")
        process.send(SIGINT)
        #expect(try process.wait() == .exited(1))
        let before = try bench.checkpoints("cut")
        for more in [["--seed", "4"], ["--restart"], ["--seed", "4", "--restart"]] {
            try bench.bench.refuse(bench.arguments("cut", options + more), ["epoch-2", "--name", bench.statePath("cut")])
        }
        #expect(try bench.checkpoints("cut") == before)
    }

    @Test("a damaged state ends with 1 and says what to do")
    func damaged() throws {
        let bench = try TrainBench.digits()
        let options = ["--optimizer", "sgd", "--epochs", "1000", "--save-every", "0"]
        let process = try bench.begin("cut", options, until: "training")
        #expect(eventually { bench.isUnfinished("cut") })
        process.send(SIGTERM)
        #expect(try process.wait() == .exited(1))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: bench.statePath("cut")))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: bench.statePath("cut")))
        let refused = try bench.run("cut", options)
        #expect(refused.ending == .exited(1) && refused.standardError.contains(bench.statePath("cut")))
        #expect(refused.standardError.contains("damaged") && refused.standardError.contains("--restart"))
        try bench.train("cut", ["--optimizer", "sgd", "--epochs", "1", "--restart"])
    }
}
