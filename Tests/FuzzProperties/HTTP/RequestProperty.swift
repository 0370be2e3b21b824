import HTTP
import HTTPTypes

extension FuzzProperty {
    /// Whatever comes over a connection: the parser makes the same of it in one piece, octet by octet and in pieces of any size;
    /// it consumes no more than there is; requests that it lets through are within the limits and mean the same when they are
    /// written anew; a refusal is a status from 400 on and a sentence, and it lasts.
    public static let request = FuzzProperty("request") { input throws(Violation) in
        var numbers = InputNumbers(input)
        let pieces = numbers.pieces(of: input.count)
        for limits in [HTTPLimits(), .narrow] {
            let whole = try RequestTranscript(input, pieces: [0..<input.count], limits: limits)
            let singles = try RequestTranscript(input, pieces: InputNumbers.singles(of: input.count), limits: limits)
            try require(singles == whole, "octet by octet: \(singles)\nas a whole: \(whole)")
            let cut = try RequestTranscript(input, pieces: pieces, limits: limits)
            try require(cut == whole, "in the pieces \(pieces): \(cut)\nas a whole: \(whole)")
            try requireSkipped(input, pieces, limits: limits)

            for message in whole.messages { try requireWithin(limits, message) }
            try requireStable(whole.messages)
            if let refusal = whole.refusal {
                try require((400..<600).contains(refusal.status.code), "the refusal's status is \(refusal.status)")
                try require(refusal.detail.isReadable(atMost: 400), "the refusal says \(refusal.detail.debugDescription)")
            }
        }
    }

    /// Bodies that are not wanted are not kept, however they come.
    private static func requireSkipped(_ input: [UInt8], _ pieces: [Range<Int>], limits: HTTPLimits) throws(Violation) {
        let whole = try RequestTranscript(input, pieces: [0..<input.count], limits: limits, skipping: true)
        let cut = try RequestTranscript(input, pieces: pieces, limits: limits, skipping: true)
        try require(cut == whole, "skipping bodies, in the pieces \(pieces): \(cut)\nas a whole: \(whole)")
        try require(whole.messages.allSatisfy(\.body.isEmpty), "a skipped body was kept")
    }

    private static func requireWithin(_ limits: HTTPLimits, _ message: RequestTranscript.Message) throws(Violation) {
        // An absolute target without a path is given the slash that it lacks.
        try require(message.target.raw.utf8.count <= limits.targetBytes + 1, "the target is over its limit: \(message)")
        try require(message.body.count <= limits.bodyBytes, "the body is over its limit: \(message)")
        if case .length(let length) = message.framing {
            try require(message.body.count == length, "the body has \(message.body.count) octets, not \(length)")
        }
        // Host is a field, but not among the fields. An absolute target may have come without.
        let hostCount = message.authority != nil && message.target.authority == nil ? 1 : 0
        try require(message.fields.count + hostCount <= limits.fieldCount, "there are too many fields: \(message)")
        try require(message.trailers.count <= limits.fieldCount, "there are too many trailers: \(message)")
        for section in [message.fields, message.trailers] {
            var total = 0
            for field in section {
                let count = field.name.rawName.utf8.count + field.withUnsafeBytesOfValue { $0.count } + 1
                try require(count <= limits.fieldBytes, "a field is over its limit: \(field)")
                total += count + 2
                let isClean = field.withUnsafeBytesOfValue { octets in
                    octets.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
                }
                try require(isClean, "a field has control characters: \(field)")
            }
            try require(total <= limits.headerSectionBytes, "the section is over its limit: \(message)")
        }
        let isSafe = message.target.segments.allSatisfy { segment in
            segment != "." && segment != ".." && segment.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        try require(isSafe, "the path has a piece that it must not: \(message.target.segments)")
    }

    /// Two readers of the same requests must not differ in what these say: written anew, they are read as the same. Each may
    /// have an empty line before it.
    private static func requireStable(_ messages: [RequestTranscript.Message]) throws(Violation) {
        let octets = messages.flatMap { Array("\r\n".utf8) + $0.octets }
        let again = try RequestTranscript(octets, pieces: [0..<octets.count], limits: .wide)
        try require(again.messages.count == messages.count && !again.isInside, "written anew, \(messages) became \(again)")
        for (message, same) in zip(messages, again.messages) {
            try require(message.meansTheSame(as: same), "written anew, \(message) became \(same)")
        }
    }
}

extension HTTPLimits {
    /// Limits that short inputs reach.
    static let narrow = {
        var limits = HTTPLimits()
        limits.targetBytes = 24
        limits.fieldBytes = 32
        limits.headerSectionBytes = 80
        limits.fieldCount = 3
        limits.bodyBytes = 40
        limits.chunkExtensionBytes = 8
        return limits
    }()

    /// Limits that whatever is within the default ones does not reach when it is written anew.
    static let wide = {
        var limits = HTTPLimits()
        limits.targetBytes *= 2
        limits.fieldBytes *= 2
        limits.headerSectionBytes *= 2
        limits.fieldCount *= 2
        return limits
    }()
}
