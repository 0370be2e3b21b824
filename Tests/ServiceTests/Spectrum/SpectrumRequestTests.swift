import HTTPTypes
import JSON
import TestSupport
import Testing

@testable import Service

/// How the address of a spectrum is read.
@Suite("Requests for spectra")
struct SpectrumRequestTests {
    private func issues(_ parameters: [(name: String, value: String)]) -> [String] {
        do {
            _ = try SpectrumRequest(model: "m", checkpoint: "c", parameters: parameters, limits: SpectrumBench.limits)
            return []
        } catch {
            return error.issues.map(\.description)
        }
    }

    @Test("without parameters there are defaults")
    func defaults() throws {
        let request = try SpectrumRequest(model: "m", checkpoint: nil, parameters: [], limits: SpectrumBench.limits)
        #expect(request.model == "m" && request.checkpoint == nil && request.curvature == CurvatureRequest() && request.k == 10)
        #expect(request.deadlineMilliseconds == nil)
    }

    @Test("each parameter is read")
    func parameters() throws {
        let request = try SpectrumRequest(
            model: "m", checkpoint: "c",
            parameters: [
                ("curvature", "empirical_fisher"), ("k", "3"), ("damping", "1e-3"), ("damping_mode", "relative"),
                ("deadline_ms", "250"),
            ], limits: SpectrumBench.limits)
        #expect(request.curvature.kind == .empiricalFisher && request.k == 3 && request.curvature.damping == 1e-3)
        #expect(request.curvature.dampingMode == .relative && request.deadlineMilliseconds == 250)
    }

    @Test(
        "what is wrong is said where, and what would be right",
        arguments: [
            ("k", "0", "/k: must be an integer from 1 to 50; got 0"), ("k", "51", "from 1 to 50"), ("k", "ten", "got \"ten\""),
            ("k", "", "must be an integer"), ("k", "2.5", "must be an integer"), ("k", "null", "must be an integer"),
            ("k", "nan", "must be an integer"), ("damping", "-1", "/damping: must be a number from 0"),
            ("damping", "inf", "must be a number"), ("damping", "1e400", "must be a number"),
            ("damping", "0x10", "must be a number"),
            ("damping", "[1]", "must be a number"), ("damping_mode", "rel", "\"absolute\", \"relative\""),
            ("curvature", "fisher", "/curvature: must be one of \"hessian\""), ("curvature", "", "must be one of"),
            ("curvature", "null", "must be one of"), ("curvature", "5", "must be one of"),
            ("deadline_ms", "0", "/deadline_ms: must be an integer from 1 to 600000"), ("deadline_ms", "600001", "to 600000"),
            ("dampng", "1", "did you mean \"damping\"?"), ("model", "x", "is not a known field"),
            ("", "x", "is not a known field"),
        ])
    func refusals(name: String, value: String, words: String) {
        let found = issues([(name, value)])
        #expect(found.count == 1 && found.joined().contains(words), "\(found)")
    }

    @Test("all that is wrong is found at once, and what is said twice is refused")
    func several() {
        #expect(issues([("k", "0"), ("damping", "x"), ("curve", "y")]).count == 3)
        #expect(issues([("k", "3"), ("k", "4")]) == ["/k: must be given once"])
    }

    @Test("equal questions are those that differ in nothing but their deadline")
    func questions() throws {
        func question(_ parameters: (name: String, value: String)..., checkpoint: String = "c") throws -> Question {
            Question(
                try SpectrumRequest(model: "m", checkpoint: checkpoint, parameters: parameters, limits: SpectrumBench.limits))
        }
        let plain = try question()
        #expect(try question(("deadline_ms", "5")) == plain && question(("k", "10")) == plain)
        for other in [
            try question(("k", "9")), try question(("damping", "1")), try question(("damping_mode", "relative")),
            try question(("curvature", "hessian")), try question(checkpoint: "d"),
        ] {
            #expect(other != plain)
        }
        #expect(plain.companion == nil && plain.width == 0)
    }

    @Test("a model or a checkpoint that is not there is a 404 that names what there is")
    func unknown() throws {
        let bench = try SpectrumBench.network()
        func problem(_ model: String, _ checkpoint: String?) throws -> Problem? {
            #expect(throws: Problem.self) {
                try bench.engine().spectrum(
                    ofModel: model, checkpoint: checkpoint, parameters: [], limits: SpectrumBench.limits,
                    defaultDeadlineMilliseconds: 10_000)
            }
        }
        let model = try #require(try problem("nte", "final"))
        #expect(model.status == .notFound && model.detail.contains("'net'") && model.errors.isEmpty)
        let checkpoint = try #require(try problem("net", "last"))
        #expect(checkpoint.status == .notFound && checkpoint.detail.contains("there are: final") && checkpoint.errors.isEmpty)
        #expect(checkpoint.kind == "unknown-checkpoint" && !checkpoint.detail.hasPrefix("/"))
    }

    @Test("a deadline that has passed is a 504")
    func deadline() throws {
        let bench = try SpectrumBench.network(SpectrumBench.wide, count: 4000)
        let problem = #expect(throws: Problem.self) {
            try bench.engine().spectrum(
                ofModel: "net", checkpoint: nil, parameters: [("deadline_ms", "1"), ("curvature", "hessian")],
                limits: SpectrumBench.limits, defaultDeadlineMilliseconds: 10_000)
        }
        #expect(problem?.status == .gatewayTimeout)
    }
}

/// The document's description of the route, held to the decoder and to answers.
@Suite("The spectrum's OpenAPI description")
struct SpectrumDescriptionTests {
    private let document = OpenAPIDocument(configuration: ServiceConfiguration())

    private func accepts(_ name: String, _ value: String) -> Bool {
        let limits = ServiceConfiguration().requestLimits
        return (try? SpectrumRequest(model: "m", checkpoint: nil, parameters: [(name, value)], limits: limits)) != nil
    }

    @Test("its parameters are the decoder's, with their words and bounds")
    func parameters() throws {
        let parameters = document.spectrum.parameters.filter { $0.location == .query }
        #expect(Set(parameters.map(\.name)) == Set(SpectrumRequest.words + SpectrumRequest.numbers))
        for parameter in parameters {
            let schema = parameter.schema.json
            #expect(parameter.json["required"] == false && parameter.json["in"] == "query")
            for word in schema["enum"]?.arrayValue ?? [] { #expect(accepts(parameter.name, word.stringValue ?? ""), "\(word)") }
            guard let low = schema["minimum"]?.doubleValue, let high = schema["maximum"]?.doubleValue else { continue }
            func text(_ value: Double) -> String { JSON.double(value).text }
            #expect(accepts(parameter.name, text(low)) && accepts(parameter.name, text(high)), "\(parameter.name)")
            #expect(!accepts(parameter.name, text(low - 1)) && !accepts(parameter.name, text(high + 1)), "\(parameter.name)")
            if let value = schema["default"]?.doubleValue { #expect(accepts(parameter.name, text(value))) }
        }
    }

    @Test(
        "answers have the members that it says, of the types it says",
        arguments: [
            SpectrumBench.softmax(), SpectrumBench.wide,
        ])
    func answers(spec: String) throws {
        let schemas = try #require(document.json["components"]?["schemas"])
        func check(_ value: JSON, _ schema: JSON, _ place: String) throws {
            let target = schema["$ref"]?.stringValue ?? schema["oneOf"]?[0]?["$ref"]?.stringValue
            if let name = target?.split(separator: "/").last { return try check(value, #require(schemas[String(name)]), place) }
            if let members = schema["properties"]?.objectValue {
                #expect(value.objectValue?.keys == members.keys, "\(place)")
                for (key, member) in members { try check(#require(value[key]), member, "\(place)/\(key)") }
            } else if let elements = schema["items"] {
                let values = try #require(value.arrayValue, "\(place)")
                if let fewest = schema["minItems"]?.integerValue { #expect(values.count >= fewest, "\(place)") }
                if let most = schema["maxItems"]?.integerValue { #expect(values.count <= most, "\(place)") }
                for element in values { try check(element, elements, place) }
            } else if let constant = schema["const"] {
                #expect(value == constant, "\(place)")
            } else {
                let types = schema["type"]?.arrayValue ?? [schema["type"]].compactMap(\.self)
                let found =
                    value.isNull
                    ? ["null"]
                    : value.boolValue != nil
                        ? ["boolean"]
                        : value.stringValue != nil
                            ? ["string"]
                            : value.integerValue != nil ? ["integer", "number"] : ["number"]
                #expect(types.contains { found.contains($0.stringValue ?? "") }, "\(place): \(value.text)")
                if let low = schema["minimum"]?.doubleValue, let number = value.doubleValue { #expect(number >= low, "\(place)") }
                if let words = schema["enum"]?.arrayValue { #expect(words.contains(value), "\(place)") }
            }
        }
        for answer in [
            try SpectrumBench.network(spec).answer(), try SpectrumBench.network(spec).answer(("curvature", "hessian")),
            try SpectrumBench.gradients([1, 2, 3, 4], width: 2, weightDecay: 1).answer(),
        ] {
            try check(answer, ["$ref": "#/components/schemas/SpectrumAnswer"], "")
            #expect(try JSON(parsing: answer.serialized()) == answer)
        }
    }
}
