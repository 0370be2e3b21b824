import HTTP
import Testing

/// The tables over real connections. Behind every input the client asks for one thing more: the answer to that shows that the
/// connection went on, and that the input ended where it should.
@Suite("Conformance")
struct ConformanceTests {
    private static let afterBody = WitnessServer.closingRequest

    private func transcript(_ client: WireClient, of conformanceCase: ConformanceCase) throws -> Transcript {
        try client.takeAll()
        return try Transcript(client.received) { place in
            place < conformanceCase.answers.count && !conformanceCase.answers[place].hasContent
        }
    }

    private func inOneWrite(_ conformanceCase: ConformanceCase, to witness: WitnessServer) throws -> Transcript {
        let client = try WireClient(port: witness.port)
        try client.send(conformanceCase.input + Self.afterBody)
        return try transcript(client, of: conformanceCase)
    }

    @Test("The answers are these", arguments: ConformanceCase.all)
    func answers(_ expected: ConformanceCase) throws {
        let witness = try WitnessServer()
        let transcript = try inOneWrite(expected, to: witness)
        #expect(transcript.answers.map(\.status) == expected.answers.map(\.status), "\(transcript.answers)")
        #expect(transcript.wentOn == (expected.ending == .open))
        #expect(expected.mayContinue || transcript.interims == 0)
        for (answer, expected) in zip(transcript.answers, expected.answers) {
            for (name, value) in expected.fields { #expect(answer.fields[name] == value) }
            if let body = expected.body { #expect(answer.body == body) }
        }
        // Every 200 is a handler's, and nothing else has reached one.
        #expect(witness.handled.count == expected.answers.count { $0.status == 200 }, "\(witness.handled)")
        checkFraming(of: transcript, expected)
    }

    /// What holds for every answer.
    private func checkFraming(of transcript: Transcript, _ expected: ConformanceCase) {
        for (place, answer) in transcript.answers.enumerated() {
            // RFC 9110 §6.6.1, §8.6; RFC 9112 §9.6.
            #expect(transcript.dates[place]?.wholeMatch(of: /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/) != nil)
            #expect((answer.fields["content-length"] == nil) == (answer.status == 204))
            let isLast = place == transcript.answers.count - 1
            #expect((answer.fields["connection"] == "close") == (isLast && expected.ending == .closed))
        }
    }

    @Test("One octet per write gives the same answers", arguments: ConformanceCase.all)
    func oneByOne(_ expected: ConformanceCase) throws {
        let witness = try WitnessServer()
        let whole = try inOneWrite(expected, to: witness)
        let readBefore = witness.server.counters.receivedBytes
        let client = try WireClient(port: witness.port)
        var sent = 0
        for piece in expected.pieces + [Self.afterBody] {
            try client.send(piece)
            sent += piece.count
            // The server reads each piece before the next comes, as long as it reads at all.
            try witness.waitUntilRead(readBefore + sent) {
                try client.takeWhatCame()
                return client.hasEnded
            }
        }
        let transcript = try transcript(client, of: expected)
        #expect(transcript.answers == whole.answers)
        #expect(transcript.wentOn == whole.wentOn)
        #expect(expected.mayContinue || transcript.interims == 0)
    }

    @Test("Two writes give the same answers, wherever the input is cut", arguments: ConformanceCase.all)
    func everyCut(_ expected: ConformanceCase) throws {
        let witness = try WitnessServer()
        let first = try WireClient(port: witness.port)
        try first.send(expected.input + Self.afterBody)
        let whole = try transcript(first, of: expected)
        let octets = first.received
        let cuts = expected.cuts
        var start = 0
        while start < cuts.count {
            // Many connections at once: the server has read the first parts of all when the second ones follow.
            let batch = cuts[start..<min(start + 32, cuts.count)]
            start += batch.count
            let readBefore = witness.server.counters.receivedBytes
            let clients = try batch.map { _ in try WireClient(port: witness.port) }
            for (client, cut) in zip(clients, batch) { try client.send(expected.input[..<cut]) }
            witness.waitUntilRead(readBefore + batch.reduce(0, +)) { false }
            for (client, cut) in zip(clients, batch) { try client.send(expected.input[cut...] + Self.afterBody) }
            for (client, cut) in zip(clients, batch) {
                try client.takeAll()
                // Mostly the same octets, within the same second; only else is it worth while to take them apart.
                if client.received == octets { continue }
                let transcript = try transcript(client, of: expected)
                #expect(transcript.answers == whole.answers, "cut at \(cut)")
                #expect(transcript.wentOn == whole.wentOn, "cut at \(cut)")
                #expect(expected.mayContinue || transcript.interims == 0, "cut at \(cut)")
            }
        }
        // Each connection has had the same requests handled.
        #expect(witness.handled.count == expected.answers.count { $0.status == 200 } * (cuts.count + 1))
    }

    @Test("The parser comes to the same, wherever its input is cut", arguments: ConformanceCase.all)
    func parser(_ expected: ConformanceCase) {
        let limits = WitnessServer.limits
        let whole = Parsed(expected.input, limits: limits)
        #expect(Parsed(expected.input, cuts: expected.cuts, limits: limits) == whole)
        for cut in expected.cuts { #expect(Parsed(expected.input, cuts: [cut], limits: limits) == whole, "cut at \(cut)") }
        if let refusal = whole.refusal, expected.ending == .closed, whole.messages.count < expected.answers.count {
            #expect(refusal == expected.answers[whole.messages.count].status)
        }
        if expected.ending == .open { #expect(whole.refusal == nil) }
    }

    @Test("No two cases have the same name, and none says nothing")
    func table() {
        let names = Dictionary(grouping: ConformanceCase.all, by: \.testDescription)
        #expect(names.filter { $0.value.count > 1 }.keys.sorted() == [])
        #expect(ConformanceCase.all.allSatisfy { !$0.input.isEmpty && !$0.answers.isEmpty })
    }
}
