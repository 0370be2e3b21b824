import HTTP
import HTTPTypes

extension FuzzProperty {
    /// A chunked body: it comes to the same however it is cut, and whether or not it is kept; the decoder stops behind its last
    /// octet, which is needed; the body never grows beyond its limit, not even on the way to a refusal. And the other way: what
    /// is put into chunks comes out of them.
    public static let chunks = FuzzProperty("chunks") { input throws(Violation) in
        var numbers = InputNumbers(input)
        let pieces = numbers.pieces(of: input.count)
        for limits in [HTTPLimits(), .narrow] {
            let whole = try Dechunked(input, pieces: [0..<input.count], limits: limits)
            for (pieces, keeping) in [(InputNumbers.singles(of: input.count), true), (pieces, true), (pieces, false)] {
                let cut = try Dechunked(input, pieces: pieces, limits: limits, keeping: keeping)
                try require(cut.isSame(as: whole, keeping: keeping), "in the pieces \(pieces): \(cut)\nas a whole: \(whole)")
            }
            if whole.isComplete {
                let exactly = try Dechunked(input, pieces: [0..<whole.consumed], limits: limits)
                try require(exactly == whole, "what follows the body changed it from \(exactly) to \(whole)")
                let less = try Dechunked(input, pieces: [0..<whole.consumed - 1], limits: limits)
                try require(!less.isComplete && less.refusal == nil, "the body was complete before its last octet: \(less)")
            }
            if let refusal = whole.refusal {
                try require([400, 413, 431].contains(refusal.status.code), "the refusal's status is \(refusal.status)")
                try require(refusal.detail.isReadable(atMost: 400), "the refusal says \(refusal.detail.debugDescription)")
            }
        }
        try requireRoundTrip(input, &numbers)
    }

    private static func requireRoundTrip(_ body: [UInt8], _ numbers: inout InputNumbers) throws(Violation) {
        var octets: [UInt8] = []
        for piece in numbers.pieces(of: body.count) where !piece.isEmpty {
            let size = String(piece.count, radix: 16, uppercase: numbers.below(2) == 0)
            let zeros = String(repeating: "0", count: numbers.below(4))
            let suffix = ["", ";a", " ; a=\"b\"", "\t;a=b;c"][numbers.below(4)]
            octets += Array("\(zeros)\(size)\(suffix)\r\n".utf8) + body[piece] + Array("\r\n".utf8)
        }
        octets += Array("0\r\nDigest: x\r\n\r\nGET /".utf8)
        var limits = HTTPLimits()
        limits.bodyBytes = body.count
        let decoded = try Dechunked(octets, pieces: numbers.pieces(of: octets.count), limits: limits)
        try require(decoded.isComplete && decoded.body == body, "chunks of \(body) became \(decoded)")
        try require(decoded.consumed == octets.count - 5, "of the next request, some was taken: \(decoded)")
        try require(decoded.trailers.count == 1, "the trailers became \(decoded.trailers)")

        guard !body.isEmpty else { return }
        limits.bodyBytes = body.count - 1
        let refused = try Dechunked(octets, pieces: numbers.pieces(of: octets.count), limits: limits)
        try require(refused.refusal?.status == .contentTooLarge, "one octet too many came to \(refused)")
    }
}

/// All that a decoder makes of some input.
private struct Dechunked: Equatable {
    var body: [UInt8] = []
    var trailers = HTTPFields()
    var decodedBytes = 0
    var consumed = 0
    var isComplete = false
    var refusal: ProtocolError?

    init(_ input: [UInt8], pieces: [Range<Int>], limits: HTTPLimits, keeping: Bool = true) throws(Violation) {
        var decoder = ChunkedDecoder(limits: limits)
        for piece in pieces where !isComplete && refusal == nil {
            do throws(ProtocolError) {
                let span = input.span.extracting(piece)
                let (count, isComplete) = try decoder.decode(span, into: &body, keeping: keeping)
                consumed += count
                self.isComplete = isComplete
            } catch { refusal = error }
            guard refusal == nil else { break }
            try require(isComplete ? consumed <= piece.upperBound : consumed == piece.upperBound, "\(consumed) were consumed")
        }
        decodedBytes = decoder.decodedBytes
        trailers = decoder.trailers
        try require(body.count <= limits.bodyBytes, "the body has \(body.count) octets, over \(limits.bodyBytes)")
        try require(body.count == (keeping ? decodedBytes : 0), "\(decodedBytes) octets came to a body of \(body.count)")
        // Where in a piece a refusal came is nobody's business.
        if refusal != nil { consumed = 0 }
    }

    func isSame(as other: Self, keeping: Bool) -> Bool {
        var expected = other
        if !keeping { expected.body = [] }
        return self == expected
    }
}
