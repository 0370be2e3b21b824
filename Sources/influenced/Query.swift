internal import ArgumentParser
internal import Foundation
internal import JSON
internal import Service
internal import Store

struct Query: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answers a request as POST /influence does, without a server.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case json, table }

    @OptionGroup var store: StoreOption
    @Argument(help: "A file with the request, or - for standard input.")
    var request: String
    @Option(help: "How the answer is shown.")
    var format: Format = .json

    func run() throws {
        let bytes: Data
        if request == "-" {
            bytes = FileHandle.standardInput.readDataToEndOfFile()
        } else {
            guard let contents = FileManager.default.contents(atPath: request) else {
                throw ValidationError("the request \(request) can't be read")
            }
            bytes = contents
        }
        let settings = ServiceConfiguration()
        let engine = Engine.forCommand(on: try Store.open(at: store.path, access: .readWrite))
        let answer = try engine.answer(
            [UInt8](bytes), limits: settings.requestLimits, defaultDeadlineMilliseconds: settings.maximumDeadlineMilliseconds)
        print(format == .json ? answer.text : AnswerTable(answer).text)
    }
}
