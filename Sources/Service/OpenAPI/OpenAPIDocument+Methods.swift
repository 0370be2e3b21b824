internal import JSON

// Requests whose method decides what else they may say: a schema for each method, of what it takes and no more.
extension OpenAPIDocument {
    /// A method as one route has it.
    struct RoutedMethod {
        let kind: any MethodChoice.Type
        let uses: Set<SharedMember>
        let summary: String

        /// As it scores for tests.
        static let all = InfluenceRequest.Method.kinds.map { RoutedMethod(kind: $0, uses: $0.uses, summary: $0.summary) }
    }

    /// The requests of one route.
    struct MethodRequests {
        /// What their schemas' names begin with.
        let prefix: String
        let methods: [RoutedMethod]
        /// Members that there must be, and that there may be, by every method.
        let required, optional: Schema.Members
        /// What several methods take, by the names of `SharedMember`.
        let shared: Schema.Members
        /// What answers may carry, where that depends on whether there is an s_test.
        var include: ((_ hasSTest: Bool) -> Schema)?

        /// One schema for each method.
        var schemas: Schema.Members {
            var schemas: Schema.Members = [:]
            schemas.list = methods.map { (prefix + $0.kind.schemaName, schema(of: $0)) }
            return schemas
        }

        private func schema(of method: RoutedMethod) -> Schema {
            let name = Schema.constant(.string(method.kind.name))
            // Whoever names none means the standard one.
            let isStandard = method.kind.name == InfluenceRequest.Method.standard.name
            return Schema.request(
                required + (isStandard ? [:] : ["method": name]),
                optional: (isStandard ? ["method": name.defaulting(to: .string(method.kind.name))] : [:]) + optional
                    + members(of: method) + include(hasSTest: method.uses.contains(.solver))
            ).described(method.summary)
        }

        /// One for several methods at once, named in place of one.
        var comparison: Schema {
            let names = methods.map { $0.kind.name }
            let compared = Schema.array(of: .choice(of: names), count: 2...names.count).unique.described(
                """
                In place of method: answers under each of these, and says how far they agree. A member that not all of them take is for \
                those that do, of which there is one at least.
                """)
            return Schema.request(
                required + ["compare": compared],
                optional: optional + .union(of: methods.map(members)) + include(hasSTest: true)
            ).described("One query under several methods.")
        }

        /// What one method takes and not all do.
        private func members(of method: RoutedMethod) -> Schema.Members {
            var members = shared
            members.list.removeAll { member in !method.uses.contains { $0.rawValue == member.name } }
            return members + method.kind.fields
        }

        private func include(hasSTest: Bool) -> Schema.Members { include.map { ["include": $0(hasSTest)] } ?? [:] }
    }
}
