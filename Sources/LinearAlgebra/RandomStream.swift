/// A seeded stream of random bits: xoshiro256★★ (Blackman & Vigna 2018, "Scrambled linear pseudorandom number generators"),
/// its state filled by SplitMix64 as its authors advise.
///
/// A stream is named by a seed and an index, so that each LiSSA repeat owns one: what a repeat draws does not depend on which
/// thread runs it, or when.
public struct RandomStream: RandomNumberGenerator, Sendable {
    private var s: (UInt64, UInt64, UInt64, UInt64)

    /// The stream `index` of `seed`.
    public init(seed: UInt64, index: UInt64 = 0) {
        var mixer = SplitMix64(state: seed)
        // Mixed before the index is added: neighbouring seeds and indices must not meet.
        mixer.state = mixer.next() ^ (index &* 0xd1b5_4a32_d192_ed03)
        s = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        let result = rotated(s.1 &* 5, by: 7) &* 9
        let t = s.1 << 17
        s.2 ^= s.0
        s.3 ^= s.1
        s.1 ^= s.2
        s.0 ^= s.3
        s.2 ^= t
        s.3 = rotated(s.3, by: 45)
        return result
    }

    /// A number in 0..<bound, by multiplication (Lemire 2019, without its rejection step: the bias is below 2⁻³² · bound).
    public mutating func next(below bound: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(UInt32(truncatingIfNeeded: next() >> 32)) &* UInt64(bound)) >> 32)
    }

    /// A standard normal number (Box & Muller 1958).
    public mutating func nextNormal() -> Double {
        let u = (Double(next() >> 11) + 0.5) * 0x1p-53
        let v = Double(next() >> 11) * 0x1p-53
        return (-2 * logarithm(u)).squareRoot() * cosine(2 * .pi * v)
    }

    @inline(__always)
    private func rotated(_ x: UInt64, by k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
}

private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
