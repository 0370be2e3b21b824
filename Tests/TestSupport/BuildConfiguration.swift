/// How the tests were compiled: some references take minutes without the optimiser and a second with it.
public enum BuildConfiguration {
    /// Whether the optimiser ran (`swift test -c release`).
    public static var isOptimized: Bool {
        #if DEBUG
            false
        #else
            true
        #endif
    }
}
