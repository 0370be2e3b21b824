internal import HTTPTypes
internal import JSON
internal import Networks
internal import Store

/// What a model's stored spec says that it is.
enum ModelForm: Sendable {
    /// A network, with parameters in the store.
    case network(ModelSpec)
    /// Something that is known by the gradients of its training examples alone.
    case gradients(GradientSpec)
}

/// What is known of a model whose gradients were computed elsewhere: `{"gradients": {"width": d}, "weight_decay": w}`.
struct GradientSpec: Sendable, Equatable {
    /// d: numbers in a gradient.
    let width: Int
    /// The objective's L2 factor.
    let weightDecay: Double

    init(width: Int, weightDecay: Double) {
        self.width = width
        self.weightDecay = weightDecay
    }

    /// - Throws: every problem found.
    init(_ json: JSON) throws(JSONIssues) {
        let reader = JSONReader(json)
        let object = reader.object(allowing: ["gradients", "weight_decay"])
        width = object?.value("gradients", "an object")?.object(allowing: ["width"])?.integer("width", in: 1 ... .max) ?? 0
        weightDecay = object?.number("weight_decay", default: 0, in: 0...1e6) ?? 0
        try reader.issues.check()
    }

    /// As it is stored.
    var text: String {
        let json: JSON = ["gradients": ["width": .integer(width)], "weight_decay": .double(weightDecay)]
        return json.text
    }
}

extension ModelRecord {
    /// What the model is.
    /// - Throws: `StoreError.corrupt` where the spec, which was checked when it was imported, is none any more.
    func form() throws -> ModelForm {
        func corrupt(_ reason: String) -> StoreError { .corrupt(what: "model '\(name)'", reason: "its spec \(reason)") }
        do {
            let json = try JSON(parsing: spec)
            return json["gradients"] == nil ? .network(try ModelSpec(json)) : .gradients(try GradientSpec(json))
        } catch let error as JSONSyntaxError {
            throw corrupt("is not JSON: \(error)")
        } catch let error as JSONIssues {
            throw corrupt("is not right: \(error.line)")
        }
    }

    /// The spec of a network.
    /// - Throws: 422 where the model has none.
    func parsedSpec() throws -> ModelSpec {
        guard case .network(let spec) = try form() else {
            throw Problem.noNetwork(name, at: "/model", "needs one to compute with")
        }
        return spec
    }
}

extension Problem {
    /// Something that only a network can do was asked of a model without one.
    static func noNetwork(_ model: String, at pointer: String, _ need: String) -> Problem {
        Problem(at: pointer, "\(need); model '\(model)' has no network, only gradients that were computed elsewhere")
    }
}
