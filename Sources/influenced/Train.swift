internal import ArgumentParser
internal import Foundation
internal import HTTPTypes
internal import LinearAlgebra
internal import Networks
internal import Service
internal import Store

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model on a dataset of the store, or goes on with a training that was interrupted.",
        discussion: """
            Checkpoints go into the store as they settle: the last as "final", others as "epoch-K". Where training is interrupted, by \
            Ctrl-C or otherwise, the same command goes on where it stopped, to the same parameters as if it had never been. What it \
            needs for that is kept beside the store, in STORE.NAME.training, until the training is complete.

            Training begins with what PyTorch's layers draw when they are made; where the objective is convex, with zeros. Frozen \
            layers ("trainable": false) stay as they begin, so that they are best brought along by --from. batch_norm layers are \
            trained as they predict, on their stored statistics: running_mean and running_var are never updated, and are 0 and 1 \
            unless --from brings others.
            """)

    @OptionGroup var store: StoreOption
    @Option(help: "What the model is called.")
    var name: String
    @Option(help: "The model's spec: a JSON file.")
    var spec: String
    @Option(help: "The dataset it is trained on, which must be in the store.")
    var dataset: String
    @Option(help: ArgumentHelp("A safetensors file with the parameters to begin with.", valueName: "file"))
    var from: String?
    @OptionGroup var settings: TrainingOptions
    @Flag(help: "Discard a training of this name that was interrupted, and begin again.")
    var restart = false
    @Option(help: "Seconds from one save of an unfinished training to the next, at least.")
    var saveEvery: Double = 5

    func validate() throws {
        guard saveEvery >= 0, saveEvery <= 3600 else { throw ValidationError("--save-every must be from 0 to 3600 seconds") }
    }

    func run() async throws {
        let stopper = Stopper()
        let engine = try await Engine.forCommand(on: store.openForWriting(createIfMissing: false))
        var request = ModelTraining.Request(
            name: name, specFile: spec, dataset: dataset, settings: try settings.trainingSettings())
        request.startFile = from
        request.restarts = restart
        request.saveInterval = saveEvery
        do {
            var training = try ModelTraining(request, in: engine)
            try train(&training, stopper)
        } catch let error as TrainingError {
            throw TrainingOptions.failure(error)
        } catch let error as ModelTrainingError {
            throw error.problem(name: name)
        }
    }

    private func train(_ training: inout ModelTraining, _ stopper: Stopper) throws {
        let report = TrainReport(training)
        report.begin(training)
        switch try training.run(interruption: stopper.interruption, watch: report.show) {
        case .finished(let summary): report.end(summary)
        case .interrupted(let epoch):
            report.leaveLine()
            throw Problem(
                .internalServerError, "interrupted",
                "the training of '\(name)' was interrupted after epoch \(epoch) of \(training.request.settings.epochs); "
                    + "the same command goes on from there")
        }
    }
}
