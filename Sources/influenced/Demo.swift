internal import ArgumentParser
internal import Demo
internal import Foundation
internal import Service
internal import Store

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds the demo store: handwritten digits, and a model trained on them.")

    @OptionGroup var store: StoreOption

    func run() async throws {
        let engine = try await Engine.forCommand(on: store.openForWriting(createIfMissing: true))
        try DemoStore.build(in: engine) { print($0) }
        print("the demo store is complete: \(engine.store.path)")
    }
}
