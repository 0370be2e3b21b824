extension LiSSA {
    /// P⁻¹ for one system, and what its spectrum is like then.
    public struct Preconditioning: Sendable {
        /// P⁻¹.
        public let preconditioner: any Preconditioner
        /// Of P^-½(D + λI)P^-½.
        public let spectrum: PreconditionedSpectrum

        /// Both must be of the system that is solved.
        public init(_ preconditioner: any Preconditioner, spectrum: PreconditionedSpectrum) {
            self.preconditioner = preconditioner
            self.spectrum = spectrum
        }
    }
}
