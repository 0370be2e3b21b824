internal import ArgumentParser
internal import Formats
internal import Foundation
internal import JSON
internal import Service
internal import Store

struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answers a request as a route of the server does, by default POST /influence, without a server.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case json, table }

    @OptionGroup var store: StoreOption
    @Argument(help: "A file with the request, or - for standard input.")
    var request: String
    @Option(
        help: ArgumentHelp(
            "The route that the request is for.", valueName: QueryRoute.allCases.map(\.rawValue).joined(separator: "|")))
    var route: String = QueryRoute.influence.rawValue
    @Option(help: "How the answer is shown.")
    var format: Format = .json

    func run() async throws {
        guard let route = QueryRoute(rawValue: route) else {
            throw ValidationError(
                "--route must be one of \(QueryRoute.allCases.map(\.rawValue).joined(separator: ", ")); got '\(route)'")
        }
        let settings = try await ServiceConfiguration.forCommand()
        let bytes = try body(limit: settings.maximumBodyBytes)
        let engine = Engine(store: try store.openForDeriving(), settings: settings)
        let answer = try engine.answer(
            bytes, to: route, limits: settings.requestLimits, defaultDeadlineMilliseconds: settings.maximumDeadlineMilliseconds)
        print(format == .json ? answer.text : AnswerTable(answer, of: route).text)
    }

    /// The request, of at most as many bytes as the server takes.
    private func body(limit: Int) throws -> [UInt8] {
        let bytes: Data
        if request == "-" {
            bytes = try FileHandle.standardInput.read(upToCount: limit + 1) ?? Data()
        } else {
            bytes = try InputFile.read(path: request)
        }
        guard bytes.count <= limit else {
            throw ValidationError("the request has more than \(limit) bytes; ask for less at a time")
        }
        return [UInt8](bytes)
    }
}
