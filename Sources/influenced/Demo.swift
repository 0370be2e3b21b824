internal import ArgumentParser
internal import Demo
internal import Foundation
internal import Service
internal import Store

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds the demo store: handwritten digits, and a model trained on them.")

    @OptionGroup var store: StoreOption

    func run() throws {
        let engine = Engine.forCommand(on: try store.openForWriting(createIfMissing: true))
        try DemoStore.build(in: engine) { print($0) }
        print("the demo store is complete: \(engine.store.path)")
    }
}
