import Foundation
import Formats
import HTTPTypes
import JSON
import LinearAlgebra
import Store
import TestSupport

@testable import Service

/// A store with datasets whose examples have metadata, ids and targets, or lack some.
struct FilterBench {
    private let folder: TemporaryDirectory
    let store: Store
    private let pointer = JSONPointer.root.appending("groups").appending(0)

    init() throws {
        folder = try TemporaryDirectory()
        store = try Store.open(at: folder.path("s.sqlite"), access: .readWrite, createIfMissing: true)
    }

    /// Adds a dataset: a target and the metadata's text for each example; ids are "id-INDEX".
    @discardableResult
    func add(_ name: String, _ metadata: [String?], targets: Tensor? = nil, hasIDs: Bool = true) throws -> DatasetRecord {
        let annotations = metadata.enumerated().compactMap { index, text in
            text == nil && !hasIDs ? nil : ExampleAnnotation(index: index, id: hasIDs ? "id-\(index)" : nil, metadata: text)
        }
        return try store.importDataset(named: name, count: metadata.count, targets: targets, annotations: annotations)
    }

    static func labels(_ labels: [Int32]) throws -> Tensor { Tensor(copying: labels, as: .int32, shape: [labels.count]) }

    static func values(_ values: [Float]) throws -> Tensor { Tensor(copying: values, as: .float32, shape: [values.count]) }

    /// What a filter finds.
    func find(_ filter: String, in dataset: String, interruption: Interruption = .never) throws -> [UInt32] {
        let reader = JSONReader(try JSON(parsing: filter))
        guard let read = reader.object(allowing: ExampleFilter.fields).flatMap({ ExampleFilter($0) }) else {
            throw JSONSyntaxTrouble(text: "\(reader.issues.issues)")
        }
        return try read.indices(in: store.dataset(named: dataset), from: store, at: pointer, interruption: interruption)
    }

    /// What it is refused with.
    func refusal(_ filter: String, in dataset: String) -> [String] {
        do {
            return ["found \(try find(filter, in: dataset))"]
        } catch let problem as Problem {
            return problem.status.code == 422 ? problem.errors.map(\.description) : ["\(problem)"]
        } catch {
            return ["\(error)"]
        }
    }

    struct JSONSyntaxTrouble: Error { let text: String }
}
