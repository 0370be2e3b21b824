internal import Foundation

/// Which BLAS the process runs on, and how many threads it may use.
///
/// `-lblas` is an alternative on Debian and Ubuntu: the reference implementation unless something faster is installed
/// (measured: 2 GFLOP/s against 70 and more). So we ask at run time, and say it in `GET /info` and the start-up log.
public struct BLASLibrary: Sendable, Equatable {
    /// What the library says of itself, such as "OpenBLAS 0.3.21 … SkylakeX"; "reference BLAS" where it can't be asked.
    public let description: String
    /// The kernels in use ("Haswell", "SkylakeX", …), where the library says so.
    public let core: String?
    /// Whether this is the slow reference implementation.
    public var isReference: Bool { core == nil }

    /// The library loaded into this process, held to one thread of its own from here on: the parallelism is ours,
    /// over independent pieces whose order is fixed, so that results do not depend on the number of threads.
    public static let current: BLASLibrary = {
        typealias Text = @convention(c) () -> UnsafePointer<CChar>?
        typealias SetThreads = @convention(c) (CInt) -> Void
        if let set = symbol("openblas_set_num_threads", as: SetThreads.self) { set(1) }
        let core = symbol("openblas_get_corename", as: Text.self)?().map { String(cString: $0) }
        let config = symbol("openblas_get_config", as: Text.self)?().map { String(cString: $0) }
        return BLASLibrary(
            description: config?.trimmingCharacters(in: .whitespaces) ?? "reference BLAS (install libopenblas0-pthread)",
            core: core)
    }()

    /// The OpenBLAS kernels this processor should run, where OpenBLAS 0.3.21 would choose weaker ones: processors with
    /// AVX-512 that it does not know by name get its Haswell kernels (measured here: 135 GFLOP/s in sgemm against 256).
    ///
    /// The choice is read from the environment when the library loads, so it must be made before the process starts.
    /// - Returns: the value for `OPENBLAS_CORETYPE`; nil where the library's own choice is fine or the user has made one.
    public static func recommendedCore(environment: [String: String]) -> String? {
        guard environment["OPENBLAS_CORETYPE"] == nil, current.core == "Haswell" || current.core == "Zen" else { return nil }
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
            let flags = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
        else { return nil }
        let present = Set(flags.split(separator: " "))
        return ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"].allSatisfy { present.contains($0[...]) }
            ? "SkylakeX" : nil
    }

    private static func symbol<F>(_ name: String, as: F.Type) -> F? {
        // RTLD_DEFAULT is a null handle on Linux.
        guard let address = dlsym(nil, name) else { return nil }
        return unsafeBitCast(address, to: F.self)
    }
}
