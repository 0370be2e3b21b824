internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Service

/// The command line: `influenced serve|import|train|cache|prepare|query|spectrum|check|demo`.
@main
struct Influenced: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "influenced",
        abstract: "Tells which training examples made a model predict what it did.",
        discussion: "Exit codes: 0 done; 1 the operation failed; 2 wrong usage or bad input; 3 a quality gate failed.",
        version: Version.current,
        subcommands: [
            Serve.self, Import.self, Train.self, Cache.self, Prepare.self, Query.self, SpectrumCommand.self, Check.self,
            Demo.self,
        ])

    func run() throws { throw MissingSubcommand(help: Self.helpMessage()) }

    /// Runs a command and ends the process with the code that the interface fixes for its outcome.
    static func main() async {
        KernelChoice.apply()
        // A file that may not grow further (setrlimit(2)) fails the write, which says so, instead of ending the program.
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Failure(error).exit()
        }
    }
}

/// A command that has nothing to do without one of its subcommands.
struct MissingSubcommand: Error {
    /// What there is.
    let help: String
}
