internal import ArgumentParser
internal import Foundation
internal import JSON
internal import Service
internal import Store

struct SpectrumCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrum",
        abstract: "Tells what the curvature at a checkpoint is like, and whether training converged, as GET …/spectrum does.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case json, table, svg }

    @OptionGroup var store: StoreOption
    @Option(help: "The model.")
    var model: String
    @Option(help: "The checkpoint; the latest by default.")
    var checkpoint: String?
    @Option(help: "hessian, gauss_newton or empirical_fisher; by default the one that influence takes.")
    var curvature: String?
    @Option(name: .customShort("k"), help: "How many of the largest eigenvalues; 10 by default.")
    var count: String?
    @Option(help: "Added to the diagonal where it is asked whether the curvature is positive definite; 0 by default.")
    var damping: String?
    @Option(help: "What damping is measured in: absolute (default) or relative.")
    var dampingMode: String?
    @Option(help: "How the answer is shown.")
    var format: Format = .json

    func run() async throws {
        let settings = try await ServiceConfiguration.forCommand()
        let parameters = [("curvature", curvature), ("k", count), ("damping", damping), ("damping_mode", dampingMode)]
        let answer = try Engine(store: try store.openForDeriving(), settings: settings).spectrum(
            ofModel: model, checkpoint: checkpoint,
            parameters: parameters.compactMap { name, value in value.map { (name, $0) } }, limits: settings.requestLimits,
            defaultDeadlineMilliseconds: settings.maximumDeadlineMilliseconds)
        switch format {
        case .json: print(answer.json.text)
        case .table: print(SpectrumTable(answer.json).text)
        case .svg: print(answer.svg, terminator: "")
        }
    }
}
