extension ConformanceCase {
    /// The places to cut the input at. Up to 300 octets, every one, and the end, behind which the next request comes. In
    /// longer input, which is long because one thing is repeated, the first and the last 64, and three around every line's
    /// end.
    var cuts: [Int] {
        guard input.count > 300 else { return Array(1...input.count) }
        var cuts = Set(1...64)
        cuts.formUnion((input.count - 64)...input.count)
        for index in input.indices where input[index] == UInt8(ascii: "\n") {
            cuts.formUnion((index - 1)...min(index + 1, input.count))
        }
        return cuts.sorted().filter { $0 > 0 }
    }

    /// The input cut at ``cuts`` all at once: one octet a piece, where it is not long.
    var pieces: [[UInt8]] { zip([0] + cuts, cuts).map { Array(input[$0..<$1]) } }
}
