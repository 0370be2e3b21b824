internal import CKernels

/// The vector unit that the inner loops were chosen for when the program was loaded.
public enum VectorUnit {
    /// "AVX-512 VNNI", "AVX-512", "AVX2" or "baseline".
    public static var current: String { String(cString: influenced_vector_unit()) }

    /// Chooses another unit for this process, to compare them: nothing may compute meanwhile.
    /// - Returns: false where the processor has no unit of this name.
    package static func use(_ name: String) -> Bool { influenced_use_vector_unit(name) }
}
