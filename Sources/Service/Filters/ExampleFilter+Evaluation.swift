public import JSON
public import LinearAlgebra
public import Store

extension ExampleFilter {
    /// The examples of a dataset that meet all conditions, by ascending index; at least one.
    ///
    /// Of each example's metadata only the members that the filter names are read.
    /// - Parameters:
    ///   - dataset: the dataset, as the store gave it.
    ///   - store: where it is.
    ///   - pointer: the object in the request that holds the filter, for errors.
    ///   - interruption: asked every few thousand examples.
    /// - Throws: `Problem` (422) where the dataset lacks what is asked about, where an id is nobody's, and where nothing meets the
    ///   conditions: it says which keys or values there are. `StoreError`, `Interrupted`.
    /// - Complexity: O(bytes of the annotations), and as much again for an error; memory for the result, and a few MiB.
    public func indices(
        in dataset: DatasetRecord, from store: Store, at pointer: JSONPointer = .root, interruption: Interruption = .never
    ) throws -> [UInt32] {
        guard dataset.rowCount <= UInt32.max else {
            throw Problem(
                at: pointer.description, "is for datasets of at most \(UInt32.max) examples; these are \(dataset.rowCount)")
        }
        let targets = try ExampleTargets(of: dataset, from: store, condition: target, at: pointer)
        var pass = FilterPass(self)
        if !metadata.isEmpty || id != nil {
            try store.forEachAnnotation(of: dataset, checkCancellation: { try interruption.check() }) { pass.take($0) }
        }
        pass.skip(to: dataset.rowCount)
        let indices = target == nil ? pass.indices : try targets.meeting(among: pass.indices, interruption)
        let report = FilterReport(of: dataset, from: store, at: pointer, interruption: interruption)
        if id != nil { report.ids(of: pass, condition: id) }
        try report.metadata(of: pass, isEmpty: indices.isEmpty)
        if indices.isEmpty {
            if target != nil { try report.targets(targets) }
            report.nothing()
        }
        do { try report.issues.check() } catch { throw Problem(error) }
        return indices
    }
}
