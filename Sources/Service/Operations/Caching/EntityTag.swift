internal import Crypto
internal import HTTP
internal import HTTPTypes

/// The entity tag of a representation: equal tags mean equal octets (RFC 9110 section 8.8.3).
struct EntityTag: Equatable, Sendable, CustomStringConvertible {
    /// The tag as it stands in an ETag field, in its quotation marks.
    let description: String

    /// The strong tag of `body`: half of its SHA-256, which is as many bits as an accident will never match. O(n).
    init(of body: [UInt8]) {
        description = "\"\(Hexadecimal.text(octets: Array(SHA256.hash(data: body).prefix(16))))\""
    }

    /// Whether the value of an If-None-Match field names this tag, so that the client has the representation already.
    ///
    /// `*` names any; else it is a list of tags, compared weakly (RFC 9110 section 13.1.2). A value that is neither names none:
    /// the client then gets what it would have got without the field.
    func isNamed(by ifNoneMatch: String) -> Bool {
        switch EntityTagList(ifNoneMatch) {
        case .any: true
        case .opaque(let tags): tags.contains(description)
        case nil: false
        }
    }
}

extension Response {
    /// The same answer with its ETag; or a 304 without content where `fields` say that the client has it already.
    ///
    /// Answers other than a 200 to GET or HEAD stay as they are (RFC 9110 sections 13.1.2 and 13.2.1). A 304 carries what the
    /// 200 would have but for the fields that describe the content which is not sent (section 15.4.5).
    func conditional(on fields: HTTPFields, method: HTTPRequest.Method) -> Response {
        guard status == .ok, method == .get || method == .head else { return self }
        let tag = EntityTag(of: body)
        var answer = self
        answer.fields[.eTag] = tag.description
        guard let condition = fields[.ifNoneMatch], tag.isNamed(by: condition) else { return answer }
        answer.status = .notModified
        answer.body = []
        for name in Self.describingContent { answer.fields[name] = nil }
        return answer
    }

    /// Representation metadata (RFC 9110 section 8) that a 304 leaves out; ETag and Content-Location it keeps.
    private static let describingContent: [HTTPField.Name] = [
        .contentType, .contentEncoding, .contentLanguage, .contentLength, .contentRange, .lastModified,
    ]
}
