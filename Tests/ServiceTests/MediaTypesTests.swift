import HTTPTypes
import Testing

@testable import Service

@Suite("Media types")
struct MediaTypesTests {
    private func status(_ fields: HTTPFields, hasBody: Bool = true) -> Int? {
        MediaTypes.refusal(of: fields, hasBody: hasBody)?.status.code
    }

    @Test(
        "bodies of JSON in UTF-8 are taken, and bodies that say nothing",
        arguments: [
            nil, "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
            "application/json ; v=1",
        ])
    func jsonBodies(type: String?) {
        var fields: HTTPFields = [:]
        fields[.contentType] = type
        #expect(status(fields) == nil)
    }

    @Test(
        "bodies of anything else are not",
        arguments: [
            "text/json", "application/jsonl", "application/problem+json", "application/json; charset=latin1", "",
            "application/json, text/plain",
        ])
    func otherBodies(type: String) {
        #expect(status([.contentType: type]) == 415)
        #expect(status([.contentType: type], hasBody: false) == nil, "without a body its type says nothing")
    }

    @Test("coded bodies are not taken, identity being none")
    func codings() {
        #expect(status([.contentEncoding: "gzip"]) == 415)
        #expect(status([.contentEncoding: "Identity"]) == nil)
        #expect(status([.contentEncoding: "gzip"], hasBody: false) == nil)
    }

    @Test("a refusal says what would be taken")
    func refusals() throws {
        let type = try #require(MediaTypes.refusal(of: [.contentType: "text/plain"], hasBody: true))
        #expect(type.fields[.accept] == "application/json" && type.detail.contains("text/plain"))
        let coding = try #require(MediaTypes.refusal(of: [.contentEncoding: "br"], hasBody: true))
        #expect(coding.fields[.acceptEncoding] == "identity" && coding.detail.contains("br"))
    }

    @Test("metrics are text, and what a collector asks for")
    func text() {
        func status(_ accept: String) -> Int? {
            MediaTypes.refusal(of: [.accept: accept], hasBody: false, offers: ["text/plain"])?.status.code
        }
        #expect(status("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1") == nil)
        #expect(status("text/*") == nil)
        #expect(status("application/json") == 406 && status("text/plain;q=0, */*") == 406)
    }

    @Test(
        "answers in JSON are wanted",
        arguments: [
            "*/*", "application/*", "application/json", "Application/Json", "application/json;q=0.1", "text/html, */*;q=0.5",
            "application/json; indent=4; q=1", "text/html;q=1,application/json",
        ])
    func accepted(accept: String) { #expect(status([.accept: accept], hasBody: false) == nil) }

    @Test(
        "answers in JSON are not wanted",
        arguments: [
            "text/html", "application/xml", "text/*", "application/json;q=0", "*/*;q=0", "application/json; q=0.0", "json",
        ])
    func refused(accept: String) { #expect(status([.accept: accept], hasBody: false) == 406) }

    @Test("the most specific range decides, as RFC 9110 section 12.5.1 has it")
    func precedence() {
        #expect(status([.accept: "application/json;q=0, */*"], hasBody: false) == 406)
        #expect(status([.accept: "*/*;q=0, application/json"], hasBody: false) == nil)
        #expect(status([.accept: "application/*;q=0, */*"], hasBody: false) == 406)
    }

    @Test("of several types the one with the most weight is chosen, the first of equals")
    func choice() {
        func chosen(_ accept: String?) -> String? {
            var fields: HTTPFields = [:]
            fields[.accept] = accept
            return MediaTypes.choice(of: [MediaTypes.json, MediaTypes.svg], fields)
        }
        for accept in [
            nil, "*/*", "application/json, image/svg+xml", "image/svg+xml;q=0.5, application/*", "image/svg+xml;q=0, */*",
        ] {
            #expect(chosen(accept) == "application/json", "\(accept ?? "nothing")")
        }
        for accept in [
            "image/svg+xml", "image/*", "image/svg+xml, */*;q=0.5", "application/json;q=0.2, image/*;q=0.3", "IMAGE/SVG+XML",
        ] {
            #expect(chosen(accept) == "image/svg+xml", "\(accept)")
        }
        for accept in ["image/png", "text/html", "application/json;q=0, image/svg+xml;q=0", "*/*;q=0"] {
            #expect(chosen(accept) == nil, "\(accept)")
        }
    }

    @Test("several Accept fields are one list")
    func severalFields() {
        var fields: HTTPFields = [:]
        fields.append(HTTPField(name: .accept, value: "text/html"))
        fields.append(HTTPField(name: .accept, value: "application/json"))
        #expect(status(fields, hasBody: false) == nil)
    }
}
