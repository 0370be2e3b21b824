internal import Foundation
internal import LinearAlgebra

/// OpenBLAS chooses its kernels when it is loaded, which is before the first line of ours runs. Where it chooses badly the process
/// starts itself anew, once, with the choice in its environment.
enum KernelChoice {
    static func apply() {
        guard let core = BLASLibrary.recommendedCore(environment: ProcessInfo.processInfo.environment),
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        else { return }
        // The variable's presence keeps the new process from doing the same.
        setenv("OPENBLAS_CORETYPE", core, 1)
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        // Returns only on failure, and then the slower kernels serve.
        execv(program, &arguments)
    }
}
