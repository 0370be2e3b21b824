internal import JSON
internal import LinearAlgebra
internal import Store

/// The tests of a request on slices, found: slice by slice, and in each by rising index, however they were named.
struct SliceTests: Sendable {
    /// One test, and the number of its slice.
    struct Member: Sendable {
        let index: Int
        let slice: Int
    }

    /// What they are rows of.
    let dataset: DatasetRecord
    /// At least one.
    private(set) var members: [Member] = []

    /// Finds the tests.
    /// - Throws: `Problem` for a test in two slices, for too many, and as sets of examples do; `StoreError`, `Interrupted`.
    init(of request: SlicesRequest, in engine: Engine, interruption: Interruption) throws {
        dataset = try engine.datasetRecord(request.dataset, at: "/test_slices/dataset")
        var sliceOfIndex: [UInt32: Int] = [:]
        for (number, slice) in request.testSlices.enumerated() {
            let indices = try Set(
                engine.indices(of: slice.members, in: dataset, at: slice.pointer, interruption: interruption)
            ).sorted()
            guard indices.count <= request.testLimit - members.count else {
                throw Problem(
                    at: slice.pointer.description,
                    "makes the tests \(members.count + indices.count), and \(request.testLimit) are allowed, by limits.max_slice_tests; "
                        + "name fewer, or raise that")
            }
            for index in indices {
                if let other = sliceOfIndex.updateValue(number, forKey: index) {
                    throw Problem(
                        at: slice.pointer.description,
                        "has the test \(index) of '\(dataset.name)', which is in '\(request.testSlices[other].name)', too: each test must be in "
                            + "one slice at most")
                }
                members.append(Member(index: Int(index), slice: number))
            }
        }
    }

    /// Some of them as a request has tests.
    func tests(_ range: Range<Int>) -> [InfluenceRequest.Test] {
        members[range].map {
            // What is wrong with its dataset is wrong with all.
            InfluenceRequest.Test(
                source: .example(dataset: dataset.name, index: $0.index), target: nil, versus: nil, pointer: "/test_slices")
        }
    }
}
