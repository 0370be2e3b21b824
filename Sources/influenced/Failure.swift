internal import ArgumentParser
internal import Formats
internal import Foundation
internal import HTTPTypes
internal import JSON
internal import Service
internal import Store

/// How a command ends that did not do what it was asked.
struct Failure {
    private let error: any Error

    init(_ error: any Error) { self.error = error }

    /// Says what went wrong on standard error and ends the process: 2 for what the user can mend in the call or its input, 1 else.
    func exit() -> Never {
        if Influenced.exitCode(for: error) == .success {
            // Help and version, which were asked for.
            print(Influenced.fullMessage(for: error))
            Foundation.exit(0)
        }
        switch error {
        case let missing as MissingSubcommand: end(2, "a subcommand is missing\n\n" + missing.help)
        case let code as ExitCode: Foundation.exit(code.rawValue)
        case let error as FormatError: end(2, error.description)
        case let error as StoreError: end(error.isUsersInput ? 2 : 1, error.description)
        case let error as ConfigurationError: end(2, error.description)
        case let error as Problem: end(error.status.code < 500 ? 2 : 1, error.lines)
        default:
            if Influenced.exitCode(for: error) == .validationFailure {
                let message = Influenced.fullMessage(for: error)
                end(2, message.hasPrefix("Error: ") ? String(message.dropFirst("Error: ".count)) : message)
            }
            end(1, "\(error)")
        }
    }

    private func end(_ code: Int32, _ message: String) -> Never {
        FileHandle.standardError.write(Data(("influenced: " + message.legibleLines + "\n").utf8))
        Foundation.exit(code)
    }
}

extension Problem {
    fileprivate var lines: String {
        errors.count > 1 ? ([detail] + errors.map { "  " + $0.description }).joined(separator: "\n") : detail
    }
}

extension StoreError {
    /// Whether another call or another file would succeed.
    fileprivate var isUsersInput: Bool {
        switch self {
        case .notFound, .outOfRange, .alreadyExists, .invalid, .notAStore, .newerVersion, .olderVersion: true
        case .corrupt, .readOnly, .busy, .diskFull, .io: false
        }
    }
}
