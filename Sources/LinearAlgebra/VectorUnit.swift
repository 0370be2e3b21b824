internal import CKernels

/// The vector unit that the inner loops were chosen for when the program was loaded.
public enum VectorUnit {
    /// "AVX-512", "AVX2" or "baseline".
    public static let current = String(cString: influenced_vector_unit())
}
