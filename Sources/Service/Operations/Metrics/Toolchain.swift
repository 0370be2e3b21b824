/// What the program was built with.
enum Toolchain {
    /// The version of the Swift compiler, as far as a program can ask: major and minor.
    static let swift: String = {
        #if compiler(>=6.5)
            "6.5+"
        #elseif compiler(>=6.4)
            "6.4"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }()

    /// How it was built.
    static let configuration: String = {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }()

    /// The architecture of the processor.
    static let architecture: String = {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #else
            "other"
        #endif
    }()
}
