internal import ArgumentParser
internal import Foundation
internal import Store

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verifies a store: schema, checksums, shapes, finiteness.")

    @OptionGroup var store: StoreOption

    func run() throws {
        let store = try Store.open(at: store.path, access: .readOnly)
        let progress = ProgressLine("checking")
        let findings = try store.check(progress: progress.update)
        progress.finish()
        guard findings.isEmpty else {
            for finding in findings { print(finding.description.legibleLines) }
            throw ExitCode(1)
        }
        print("the store is whole")
    }
}
