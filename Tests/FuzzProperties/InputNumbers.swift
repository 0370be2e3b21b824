/// Numbers that an input chooses by what it is.
///
/// A schedule that is chosen by the input's own octets needs none of them to be set aside for it: seeds remain files that other
/// programs read, and an input alone repeats a finding.
public struct InputNumbers {
    private var state: UInt64

    /// The numbers of `input`: its FNV-1a hash (Fowler, Noll and Vo), stirred on by SplitMix64 (Steele, Lea and Flood, 2014).
    public init(_ input: [UInt8]) {
        state = input.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// The next number from 0 up to but not including `bound`, which is at least 1.
    public mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ z >> 31) % UInt64(bound))
    }

    /// Up to eight pieces, some of them empty, that `count` octets fall into.
    public mutating func pieces(of count: Int) -> [Range<Int>] {
        let ends = (0..<below(8)).map { _ in below(count + 1) }.sorted() + [count]
        return zip([0] + ends, ends).map { $0..<$1 }
    }

    /// One piece for each of `count` octets.
    public static func singles(of count: Int) -> [Range<Int>] { (0..<count).map { $0..<$0 + 1 } }
}
