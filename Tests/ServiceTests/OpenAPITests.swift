import HTTP
import HTTPTypes
import JSON
import LinearAlgebra
import Logging
import Store
import TestSupport
import Testing

@testable import Service

/// The document is held to what it describes: the routes, the decoders, the types.
@Suite("The OpenAPI document")
struct OpenAPITests {
    private static var configuration: ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.maximumTests = 3
        configuration.maximumK = 20
        configuration.maximumGroups = 2
        configuration.maximumSlices = 3
        configuration.maximumSliceTests = 77
        configuration.deadlineMilliseconds = 1_500
        configuration.maximumDeadlineMilliseconds = 4_000
        return configuration
    }

    private let document = OpenAPIDocument(configuration: Self.configuration)
    private let json: JSON
    private let schemas: JSONObject

    init() throws {
        json = document.json
        schemas = try #require(json["components"]?["schemas"]?.objectValue)
    }

    // MARK: Routes

    @Test("it has the routes of the router, each once, and no others")
    func routes() throws {
        let folder = try TemporaryDirectory()
        let store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
        let api = API(
            engine: Engine(store: store, parallel: Parallel(threads: 1), memoryBytes: 1 << 20),
            configuration: Self.configuration, lifecycle: Lifecycle(), logger: Logger(label: "test"))
        let routed = api.router().routes.map { "\($0.method.rawValue.lowercased()) \($0.pattern)" }
        var described: [String] = []
        for (path, item) in try #require(json["paths"]?.objectValue) {
            for (method, _) in try #require(item.objectValue) { described.append("\(method) \(path)") }
        }
        #expect(described.sorted() == routed.sorted())
        #expect(described.count == document.operations.count)
    }

    // MARK: Structure

    @Test("it is version 3.1, is called by the service's version, and reads back as itself")
    func header() throws {
        #expect(json["openapi"]?.stringValue?.hasPrefix("3.1.") == true)
        #expect(json["info"]?["version"]?.stringValue == Version.current)
        #expect(try JSON(parsing: json.serialized()) == json)
    }

    @Test("every reference leads somewhere, and every component is referred to")
    func references() throws {
        var targets: Set<String> = []
        json.visit { value, _ in
            if let target = value["$ref"]?.stringValue { targets.insert(target) }
        }
        #expect(targets.count > 40)
        for target in targets { #expect(json.resolving(target) != nil, "\(target) leads nowhere") }
        for kind in ["schemas", "responses", "headers"] {
            for (name, _) in try #require(json["components"]?[kind]?.objectValue) {
                #expect(targets.contains("#/components/\(kind)/\(name)"), "nothing refers to \(kind)/\(name)")
            }
        }
    }

    @Test("operations have ids of their own, known tags, an answer, and a parameter for each name in their path")
    func operationObjects() throws {
        let tags = Set((json["tags"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue })
        #expect(Set(document.operations.map(\.id)).count == document.operations.count)
        for operation in document.operations {
            let object = try #require(json["paths"]?[operation.path]?[operation.method.rawValue.lowercased()])
            #expect(object["tags"]?.arrayValue?.allSatisfy { tags.contains($0.stringValue ?? "") } == true)
            #expect(object["responses"]?["200"] != nil && object["responses"]?["500"] != nil)
            let names = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                String($0.dropFirst().dropLast())
            }
            #expect(operation.parameters.filter { $0.location == .path }.map(\.name) == names, "\(operation.path)")
        }
    }

    @Test("health needs no key, everything else takes one")
    func security() throws {
        for operation in document.operations {
            let security = operation.json["security"]
            if operation.path.hasPrefix("/health/") {
                #expect(security == [] && operation.json["responses"]?["401"] == nil)
            } else {
                #expect(security == [[:], ["bearer": []]] && operation.json["responses"]?["401"] != nil)
            }
        }
    }

    @Test("schemas are sound: what is required is described, bounds have a lower and an upper end, patterns are anchored")
    func soundness() {
        var count = 0
        JSON.object(schemas).visit { schema, place in
            if let required = schema["required"]?.arrayValue {
                let properties = schema["properties"]?.objectValue ?? [:]
                for name in required { #expect(properties[name.stringValue ?? ""] != nil, "\(place): \(name)") }
                count += 1
            }
            for (low, high) in [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")] {
                if let low = schema[low]?.doubleValue, let high = schema[high]?.doubleValue { #expect(low <= high, "\(place)") }
            }
            if let pattern = schema["pattern"]?.stringValue { #expect(pattern.hasPrefix("^"), "\(place)") }
        }
        #expect(count > 20)
    }

    // MARK: The types it speaks of

    @Test("words are those of the types, bounds those of the configuration")
    func enumerations() throws {
        func words(_ schema: String, _ property: String) -> [String]? {
            schemas[schema]?["properties"]?[property]?["enum"]?.arrayValue?.compactMap(\.stringValue)
        }
        #expect(methods(of: "InfluenceRequest") == InfluenceRequest.methods + ["comparison"])
        #expect(methods(of: "SlicesRequest") == InfluenceRequest.methods)
        #expect(
            methods(of: "SelfInfluenceRequest") == ["influence", "tracin_cp", "representer_point", "gradient_dot"]
                && words("SelfInfluenceAnswer", "method") == methods(of: "SelfInfluenceRequest"))
        #expect(words("InfluenceByTrak", "aggregate") == InfluenceRequest.Aggregate.allCases.map(\.rawValue))
        #expect(words("InfluenceByRelatif", "curvature") == InfluenceRequest.Curvature.allCases.map(\.rawValue))
        #expect(words("InfluenceByComparison", "damping_mode") == InfluenceRequest.DampingMode.allCases.map(\.rawValue))
        func included(_ schema: String) -> [String]? {
            schemas[schema]?["properties"]?["include"]?["items"]?["enum"]?.arrayValue?.compactMap(\.stringValue)
        }
        #expect(included("InfluenceByInfluence") == ["inputs", "metadata", "all_scores", "s_test"])
        #expect(included("InfluenceByTracinCp") == ["inputs", "metadata", "all_scores"])
        let solvers = InfluenceRequest.Solver.kinds.compactMap { kind in
            let name = schemas[kind.schemaName + "Solver"]?["properties"]?["name"]
            return (name?["const"] ?? name?["oneOf"]?[0]?["const"])?.stringValue
        }
        #expect(solvers == InfluenceRequest.solvers)
        let properties = schemas["InfluenceByInfluence"]?["properties"]
        #expect(properties?["k"]?["maximum"] == 20 && properties?["tests"]?["maxItems"] == 3)
        #expect(properties?["groups"]?["maxItems"] == 2)
        #expect(schemas["SlicesByTrak"]?["properties"]?["training_slices"]?["maxItems"] == 3)
        let slices = schemas["TestSlices"]?["properties"]?["slices"]
        #expect(slices?["maxItems"] == 3 && slices?["description"]?.stringValue?.contains("77 tests") == true)
        #expect(properties?["deadline_ms"]?["maximum"] == 4_000 && properties?["deadline_ms"]?["default"] == 1_500)
    }

    /// The methods that a request's schemas are for, in their order.
    private func methods(of request: String) -> [String] {
        (schemas[request]?["oneOf"]?.arrayValue ?? []).compactMap { choice in
            guard let reference = choice["$ref"]?.stringValue, let schema = json.resolving(reference) else { return nil }
            let method = schema["properties"]?["method"]
            return method == nil ? "comparison" : (method?["const"] ?? method?["oneOf"]?[0]?["const"])?.stringValue
        }
    }

    // MARK: The decoders

    private func issues(_ body: JSON, of route: QueryRoute = .influence) -> [String] {
        do {
            _ = try route.question(body, limits: Self.configuration.requestLimits, deadlineMilliseconds: 1_000)
            return []
        } catch {
            return error.issues.map(\.description)
        }
    }

    @Test("the decoders accept every example")
    func examples() throws {
        for operation in document.operations {
            guard let body = operation.body else { continue }
            let route = try #require(QueryRoute(rawValue: operation.path), "\(operation.path) is read by no decoder")
            #expect(!body.examples.isEmpty)
            for example in body.examples { #expect(issues(example.value, of: route) == [], "\(operation.path), \(example.name)") }
        }
    }

    /// Members by which alternatives of a schema are told apart.
    private static let choosing: Set = ["method", "compare", "where", "target", "examples"]

    @Test("what may be left out may be null, what is required may not, and there is nothing else", arguments: RequestObject.all)
    func members(object: RequestObject) throws {
        let (name, body, place, route) = (object.schema, object.body, object.place, object.route)
        #expect(issues(body, of: route) == [])
        let schema = try #require(json.resolving("#/components/schemas/\(name)"))
        #expect(schema["additionalProperties"] == false)
        let required = Set((schema["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        let properties = try #require(schema["properties"]?.objectValue)
        for (key, _) in properties {
            // A solver without a name is the default one, and without what makes it this alternative an object is another.
            if key == "name" && name.hasSuffix("Solver") || required.contains(key) && Self.choosing.contains(key) { continue }
            let issues = issues(body.setting(.null, at: place + [key]), of: route)
            #expect(issues.isEmpty == !required.contains(key), "\(name), \(key): \(issues)")
        }
        // The decoder names what it knows when it meets what it does not know.
        let refusal = issues(body.setting(1, at: place + ["?"]), of: route).joined()
        let known = try #require(refusal.firstMatch(of: /known: ([a-z0-9_, ]+)/)).output.1.split(separator: ", ").map(String.init)
        // What has no meaning for a method, its schema leaves out, and the decoder refuses.
        let foreign = Set(known).subtracting(properties.keys)
        #expect(Set(properties.keys).isSubset(of: known), "\(name)")
        #expect(foreign.isEmpty || name.contains("By"), "\(name): \(foreign)")
        for key in foreign where !Self.choosing.contains(key) {
            let issues = issues(body.setting([], at: place + [key]), of: route).joined()
            #expect(issues.contains("/\(key): has no meaning"), "\(name), \(key): \(issues)")
        }
        for (key, _) in properties {
            let issues = issues(body.setting([], at: place + [key]), of: route).joined()
            #expect(!issues.contains("/\(key): has no meaning"), "\(name), \(key): \(issues)")
        }
    }

    @Test("bounds are the decoder's: at them a value is accepted, beyond them refused", arguments: RequestObject.all)
    func bounds(object: RequestObject) throws {
        let (name, body, place, route) = (object.schema, object.body, object.place, object.route)
        let schema = try #require(json.resolving("#/components/schemas/\(name)"))
        for (key, property) in try #require(schema["properties"]?.objectValue) {
            // Of what may be "auto" or null, the number.
            let property = property["oneOf"]?[0]?["oneOf"]?[0] ?? property["oneOf"]?[0] ?? property
            func accepts(_ value: JSON) -> Bool { issues(body.setting(value, at: place + [key]), of: route).isEmpty }
            if let low = property["minimum"] { #expect(accepts(low), "\(key) \(low)") }
            if let high = property["maximum"] { #expect(accepts(high), "\(key) \(high)") }
            // Beyond 2⁵³ there is not a `Double` for every integer.
            func step(from bound: Double) -> Double { abs(bound) < 0x1p53 ? 1 : abs(bound) }
            if let low = property["minimum"]?.doubleValue { #expect(!accepts(.double(low - step(from: low))), "\(key)") }
            if let high = property["maximum"]?.doubleValue { #expect(!accepts(.double(high + step(from: high))), "\(key)") }
            if let shortest = property["minLength"]?.integerValue, let longest = property["maxLength"]?.integerValue {
                for length in [shortest, longest] { #expect(accepts(.string(.init(repeating: "ä", count: length))), "\(key)") }
                for length in [shortest - 1, longest + 1] {
                    #expect(!accepts(.string(.init(repeating: "ä", count: length))), "\(key)")
                }
            }
        }
    }

    @Test("numbers of elements are the decoder's", arguments: ["tests", "groups", "include"])
    func counts(key: String) throws {
        let property = try #require(schemas["InfluenceByInfluence"]?["properties"]?[key])
        func accepts(_ count: Int) -> Bool {
            let elements: [JSON] = (0..<count).map { i in
                switch key {
                case "tests": ["dataset": "d", "index": 0]
                case "groups": ["name": .string("g\(i)"), "indices": [0]]
                default: "metadata"
                }
            }
            return issues(RequestObject.body.setting(.array(elements), at: [key])).isEmpty
        }
        let fewest = property["minItems"]?.integerValue ?? 0
        let most = try #require(property["maxItems"]?.integerValue)
        #expect(accepts(fewest) && accepts(most) && !accepts(most + 1))
        if fewest > 0 { #expect(!accepts(fewest - 1)) }
    }
}

extension JSON {
    /// Calls a function for every object in it, with its place.
    fileprivate func visit(_ place: String = "", _ body: (JSON, String) -> Void) {
        if case .object(let members) = self {
            body(self, place)
            for (key, value) in members { value.visit("\(place)/\(key)", body) }
        } else if case .array(let elements) = self {
            for (index, element) in elements.enumerated() { element.visit("\(place)/\(index)", body) }
        }
    }

    /// What a reference within it leads to.
    fileprivate func resolving(_ reference: String) -> JSON? {
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/").reduce(Optional(self)) { json, key in
            Int(key).flatMap { json?[$0] } ?? json?[String(key)]
        }
    }
}
