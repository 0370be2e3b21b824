import HTTP
import Testing

@Suite("Mutated input")
struct ParserMutationTests {
    /// What the mutations begin with: some of everything that the parser knows.
    private static let seeds = [
        request("GET /a%20b?c=d HTTP/1.1", "Accept: */*", "Connection: keep-alive"),
        request("POST /p HTTP/1.1", "Content-Length: 5", body: "hello") + request("GET /n HTTP/1.1"),
        request("POST /p HTTP/1.1", "Transfer-Encoding: chunked", body: "5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n"),
        request("GET http://o:80/a HTTP/1.0", "Expect: 100-continue", "Connection: close"),
    ].map { Array($0.utf8) }

    /// Octets that mean something somewhere.
    private static let telling = Array("\r\n \t:;,/%?#0159aAfGHTP.\0\u{7F}".utf8) + [0x80, 0xFF]

    @Test("Whatever comes in, however it is cut, the outcome is the same, and nothing traps", arguments: 0..<8)
    func mutations(_ round: Int) {
        var random = SplitMix64(seed: UInt64(round))
        for _ in 0..<500 {
            var input = Self.seeds[random.below(Self.seeds.count)]
            for _ in 0..<(1 + random.below(4)) {
                let place = random.below(input.count)
                switch random.below(4) {
                case 0: input[place] = Self.telling[random.below(Self.telling.count)]
                case 1: input.insert(Self.telling[random.below(Self.telling.count)], at: place)
                case 2: input.removeSubrange(place..<min(input.count, place + 1 + random.below(3)))
                default: input.insert(contentsOf: input[place..<min(input.count, place + random.below(20))], at: place)
                }
                if input.isEmpty { input = [0] }
            }
            let cuts = (0..<random.below(6)).map { _ in random.below(input.count) }.sorted()
            let whole = Parsed(input)
            #expect(Parsed(input, cuts: cuts) == whole, "\(input) cut at \(cuts)")
            #expect(Parsed(input, cuts: Array(0..<input.count)) == whole, "\(input) cut everywhere")
            if let status = whole.refusal { #expect([400, 413, 414, 431, 501, 505].contains(status)) }
        }
    }
}

/// A small generator with a fixed seed (Steele, Lea and Flood, 2014), so that a failure can be repeated.
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// A number from 0 up to but not including `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
