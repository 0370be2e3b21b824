public import JSON

extension ExampleFilter {
    /// Reads a filter from the members `fields` of an object that may have others, which are the caller's to allow, reporting whatever is
    /// wrong with it.
    public init?(_ object: JSONObjectReader) {
        guard Self.fields.contains(where: object.has) else {
            object.report("must have where, target or id")
            return nil
        }
        let before = object.issues.count
        let metadata = object.optionalValue("where").map(Self.metadata) ?? [:]
        let target = object.optionalValue("target").flatMap { FilterCondition($0, of: .target) }
        let id = object.optionalValue("id").flatMap { FilterCondition($0, of: .id) }
        guard object.issues.count == before else { return nil }
        self.init(metadata: metadata, target: target, id: id)
    }

    private static func metadata(_ reader: JSONReader) -> [[UInt8]: FilterCondition] {
        guard let object = reader.object() else { return [:] }
        guard (1...limits.keys).contains(object.members.count) else {
            reader.report("must have 1 to \(limits.keys) metadata keys; got \(object.members.count)")
            return [:]
        }
        var conditions: [[UInt8]: FilterCondition] = [:]
        for (key, value) in object.members {
            // Null is a value that metadata can have.
            let reader = JSONReader(value, at: object.pointer.appending(key), issues: object.issues)
            conditions[Array(key.utf8)] = FilterCondition(reader, of: .metadata)
        }
        return conditions
    }
}

extension FilterCondition {
    /// What a condition is about: which values there can be.
    enum Subject {
        case metadata, target, id

        var values: String {
            switch self {
            case .metadata: "a string, a number, true, false or null"
            case .target: "a number"
            case .id: "a string"
            }
        }

        func admits(_ value: FilterScalar) -> Bool {
            switch self {
            case .metadata: true
            case .target: value.number != nil
            case .id: value.isText
            }
        }
    }

    /// Reads a value, an array of them or an object of comparisons.
    init?(_ reader: JSONReader, of subject: Subject) {
        switch reader.json {
        case .object:
            guard let object = reader.object(allowing: ["min", "max", "not", "exists"]) else { return nil }
            self.init(comparisons: object, of: subject)
        default:
            guard
                let values = Self.values(
                    reader, of: subject, orElse: ", an array of these, or an object of min, max, not, exists")
            else { return nil }
            self.init(wanted: values)
        }
    }

    private init?(comparisons object: JSONObjectReader, of subject: Subject) {
        func bound(_ key: String) -> FilterScalar? {
            guard let reader = object.optionalValue(key) else { return nil }
            if let value = FilterScalar(reader.json), value.number != nil || value.isText, subject.admits(value) { return value }
            reader.report("must be \(subject == .metadata ? "a number or a string" : subject.values)")
            return nil
        }
        let (minimum, maximum) = (bound("min"), bound("max"))
        if let minimum, let maximum, minimum.isAtMost(maximum) != true {
            object.report("max", "must be at least min, and of the same kind")
        }
        // Null can be unwanted as well.
        let unwanted = object.members["not"].flatMap { value in
            Self.values(JSONReader(value, at: object.pointer.appending("not"), issues: object.issues), of: subject)
        }
        let exists = object.optionalBool("exists")
        if exists == false, minimum != nil || maximum != nil || unwanted != nil {
            object.report("exists", "must not be false beside other comparisons: where there is no value, none of them can hold")
        }
        guard minimum != nil || maximum != nil || unwanted != nil || exists != nil else {
            // What was there and wrong is reported already.
            if object.members.allSatisfy(\.value.isNull) { object.report("must have min, max, not or exists") }
            return nil
        }
        self.init(unwanted: unwanted ?? [], minimum: minimum, maximum: maximum, exists: exists)
    }

    /// One value, or an array of some.
    private static func values(_ reader: JSONReader, of subject: Subject, orElse more: String = " or an array of these")
        -> Set<FilterScalar>?
    {
        func value(_ json: JSON) -> FilterScalar? { FilterScalar(json).flatMap { subject.admits($0) ? $0 : nil } }
        guard reader.json.arrayValue != nil else {
            if let value = value(reader.json) { return [value] }
            reader.report("must be \(subject.values)\(more)")
            return nil
        }
        guard let elements = reader.array(count: 1...ExampleFilter.limits.values) else { return nil }
        var values: Set<FilterScalar> = []
        for element in elements {
            guard let value = value(element.json) else {
                element.report("must be \(subject.values)")
                return nil
            }
            values.insert(value)
        }
        return values
    }
}

extension JSONIssueCollector {
    /// All that was reported so far.
    fileprivate var count: Int { issues.count + omitted }
}
