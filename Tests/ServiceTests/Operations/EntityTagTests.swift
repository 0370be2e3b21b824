import HTTP
import HTTPTypes
import Testing

@testable import Service

@Suite("Entity tags")
struct EntityTagTests {
    private let body = Array("abc".utf8)
    /// The first half of the SHA-256 of "abc" (FIPS 180-2, appendix B.1).
    private let tag = "\"ba7816bf8f01cfea414140de5dae2223\""

    private func response(_ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            fields: [
                .contentType: "application/json", .cacheControl: "no-cache", .vary: "Origin", .lastModified: "then",
                .contentLanguage: "en", .contentLocation: "/a", .expires: "never", ServerTiming.fieldName: "a",
            ],
            body: body)
    }

    @Test("a tag is half of the SHA-256 of the body, in quotation marks")
    func tags() {
        #expect(EntityTag(of: body).description == tag)
        #expect(EntityTag(of: []) != EntityTag(of: body))
    }

    @Test(
        "a field that has the tag, or any, names it",
        arguments: [
            "\"T\"", "W/\"T\"", "*", " * ", "\"a\", \"T\"", "\"a\",\"T\"", "W/\"a\" ,\tW/\"T\"", ", ,\"T\", ,", "\"T\",\"b\"",
            "\"a,b\", \"T\"", "\"\", \"T\"", "\"é\",\"T\"",
        ])
    func named(field: String) {
        #expect(EntityTag(of: body).isNamed(by: field.replacing("\"T\"", with: tag)))
    }

    @Test(
        "a field without it, or one that is malformed, does not",
        arguments: [
            "", " ", ",", "\"a\"", "W/\"a\"", "\"a\", \"b\"", "T", "\"T", "T\"", "w/\"T\"", "W/ \"T\"", "\"T\" \"T\"",
            "\"T\";x", "*, \"T\"", "\"T\", *", "**", "\"a\" x, \"T\"", "\"T\", b", "\"T\", \"b c\"", "\"T\", \"b\u{7F}\"",
        ])
    func unnamed(field: String) {
        #expect(!EntityTag(of: body).isNamed(by: field.replacing("T", with: tag.dropFirst().dropLast())))
    }

    @Test("an answer gets its tag and is otherwise as it was")
    func fresh() {
        var expected = response()
        expected.fields[.eTag] = tag
        #expect(response().conditional(on: [:], method: .get) == expected)
        #expect(response().conditional(on: [.ifNoneMatch: "\"other\""], method: .get) == expected)
        #expect(response().conditional(on: [.ifNoneMatch: tag.replacing("\"", with: "")], method: .get) == expected)
    }

    @Test(
        "a client that has the answer gets a 304 without content or what describes it",
        arguments: [HTTPRequest.Method.get, .head])
    func notModified(method: HTTPRequest.Method) {
        let answer = response().conditional(on: [.ifNoneMatch: "W/\(tag)"], method: method)
        #expect(answer.status == .notModified && answer.body.isEmpty)
        #expect(
            answer.fields == [
                .cacheControl: "no-cache", .vary: "Origin", .contentLocation: "/a", .expires: "never",
                ServerTiming.fieldName: "a",
                .eTag: tag,
            ])
    }

    @Test("several fields are one list")
    func severalFields() {
        var fields: HTTPFields = [:]
        fields.append(HTTPField(name: .ifNoneMatch, value: "\"a\""))
        fields.append(HTTPField(name: .ifNoneMatch, value: tag))
        #expect(response().conditional(on: fields, method: .get).status == .notModified)
    }

    @Test("answers that are not a 200 to GET or HEAD are left alone")
    func others() {
        #expect(response(.notFound).conditional(on: [.ifNoneMatch: "*"], method: .get) == response(.notFound))
        #expect(response(.created).conditional(on: [.ifNoneMatch: "*"], method: .get) == response(.created))
        #expect(response().conditional(on: [.ifNoneMatch: "*"], method: .post) == response())
    }
}
