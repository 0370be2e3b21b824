extension JSONReader {
    /// The value as an array, a reader for each element.
    /// - Parameter count: how many elements there may be.
    public func array(count: ClosedRange<Int> = 0 ... .max) -> [JSONReader]? {
        guard let elements = json.arrayValue, count.contains(elements.count) else {
            reportMismatch(Expectation.array(of: "values", count: count))
            return nil
        }
        return elements.enumerated().map { JSONReader($1, at: pointer.appending($0), issues: issues) }
    }

    /// The value as an array of integers within `range`, without a reader for each. Reports the first element that is none.
    public func integers(count: ClosedRange<Int> = 0 ... .max, in range: ClosedRange<Int> = .min ... .max) -> [Int]? {
        if case .numbers(let numbers) = json, count.contains(numbers.count) {
            var integers: [Int] = []
            integers.reserveCapacity(numbers.count)
            for (index, number) in numbers.enumerated() {
                guard let integer = Int(exactly: number), range.contains(integer) else {
                    return element(index, .double(number)).integer(in: range).map { [$0] }
                }
                integers.append(integer)
            }
            return integers
        }
        return collect(count, of: "integers") { $0.integer(in: range) }
    }

    /// The value as an array of finite numbers within `range`, without a reader for each. Reports the first element that is none.
    public func numbers(
        count: ClosedRange<Int> = 0 ... .max, in range: ClosedRange<Double> = -.infinity ... .infinity
    ) -> [Double]? {
        if case .numbers(let numbers) = json, count.contains(numbers.count) {
            guard let index = numbers.firstIndex(where: { !$0.isFinite || !range.contains($0) }) else { return numbers }
            return element(index, .double(numbers[index])).number(in: range).map { [$0] }
        }
        return collect(count, of: "numbers") { $0.number(in: range) }
    }

    /// The value as an array of strings. Reports the first element that is none.
    public func strings(count: ClosedRange<Int> = 0 ... .max) -> [String]? {
        collect(count, of: "strings") { $0.string() }
    }

    private func element(_ index: Int, _ json: JSON) -> JSONReader {
        JSONReader(json, at: pointer.appending(index), issues: issues)
    }

    private func collect<Element>(_ count: ClosedRange<Int>, of plural: String, _ read: (JSONReader) -> Element?) -> [Element]? {
        guard let elements = json.arrayValue, count.contains(elements.count) else {
            reportMismatch(Expectation.array(of: plural, count: count))
            return nil
        }
        var collected: [Element] = []
        for (index, json) in elements.enumerated() {
            guard let value = read(element(index, json)) else { return nil }
            collected.append(value)
        }
        return collected
    }
}

extension JSONReader {
    /// The value as an array of finite numbers, nested or flat: the numbers in row-major order and the extents, outermost first.
    ///
    /// Every array must have as many elements as its siblings, none may be empty, and numbers stand at one depth only. O(n);
    /// recursion is as deep as the value is nested.
    public func numericArray() -> (values: [Double], shape: [Int])? {
        var shape: [Int] = []
        var innermost = json
        while let first = innermost[0] {
            shape.append(innermost.elementCount)
            innermost = first
        }
        guard !shape.isEmpty || innermost.arrayValue != nil else {
            reportMismatch("an array of numbers")
            return nil
        }
        var values: [Double] = []
        guard flatten(shape[...], depth: 0, into: &values) else { return nil }
        return (values, shape)
    }

    /// Appends the numbers of an array whose extents should be `shape`; at its end stand the numbers.
    private func flatten(_ shape: ArraySlice<Int>, depth: Int, into values: inout [Double]) -> Bool {
        guard let extent = shape.first else {
            if json.arrayValue != nil {
                report(
                    json.elementCount == 0
                        ? "must not be empty" : "must be a number like the first of its kind; got \(json.abbreviated)")
            } else if let number = number() {
                values.append(number)
                return true
            }
            return false
        }
        guard json.elementCount == extent else {
            let expected = extent == 1 ? "an array of 1 value" : "an array of \(extent) values"
            reportMismatch(depth == 0 ? expected : "\(expected) like the first of its kind")
            return false
        }
        if case .numbers(let numbers) = json, shape.count == 1 {
            guard let index = numbers.firstIndex(where: { !$0.isFinite }) else {
                values.append(contentsOf: numbers)
                return true
            }
            _ = element(index, .double(numbers[index])).number()
            return false
        }
        return (json.arrayValue ?? []).enumerated().allSatisfy { index, json in
            element(index, json).flatten(shape.dropFirst(), depth: depth + 1, into: &values)
        }
    }
}

extension JSON {
    /// The number of elements of an array; −1 for anything else.
    fileprivate var elementCount: Int {
        switch self {
        case .array(let elements): elements.count
        case .numbers(let elements): elements.count
        default: -1
        }
    }
}
