import LinearAlgebra
import Synchronization
import Testing

@Suite("paced interruptions")
struct InterruptionTests {
    @Test("ask once for so much work, in small pieces or large ones", arguments: [1000, 1_000_000, 4_000_000, 40_000_000])
    func pace(piece: Int) throws {
        let asked = Atomic(0)
        var pace = PacedInterruption(
            Interruption {
                asked.wrappingAdd(1, ordering: .relaxed)
                return false
            })
        let pieces = 80_000_000 / piece
        for _ in 0..<pieces { try pace.check(after: piece) }
        #expect(asked.load(ordering: .relaxed) == min(pieces, 80_000_000 / PacedInterruption.interval))
    }

    @Test("throw once the interruption is raised, and go on throwing")
    func raised() throws {
        let isRaised = Atomic(false)
        var pace = PacedInterruption(Interruption { isRaised.load(ordering: .relaxed) })
        for _ in 0..<5 { try pace.check(after: PacedInterruption.interval) }
        isRaised.store(true, ordering: .relaxed)
        try pace.check(after: PacedInterruption.interval - 1)
        #expect(throws: Interrupted()) { try pace.check(after: 1) }
        #expect(throws: Interrupted()) { try pace.check(after: PacedInterruption.interval) }
    }
}
