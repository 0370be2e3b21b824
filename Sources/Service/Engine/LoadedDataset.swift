internal import Formats
internal import Foundation
internal import HTTPTypes
internal import JSON
internal import LinearAlgebra
internal import Networks
internal import Store

/// A dataset's examples in memory, in the format they are stored in where kernels know it.
struct LoadedDataset: Sendable {
    let record: DatasetRecord
    let features: FeatureRows
    let targets: Targets
    /// What each example's loss is multiplied by; nil for 1.
    let weights: [Float]?

    var byteCount: Int { features.byteCount + (targets.count + (weights?.count ?? 0)) * MemoryLayout<Float>.stride }

    /// Reads all rows; numbers that kernels know go straight from SQLite's pages to their place.
    /// - Throws: `StoreError`, `Interrupted`; `Problem` where there are no inputs, or they can't be used.
    init(_ record: DatasetRecord, from store: Store, interruption: Interruption = .never) throws {
        guard record.hasInputs else {
            throw Problem(
                .unprocessableContent, "unsuitable-dataset",
                "examples of dataset '\(record.name)' have no inputs, only gradients that were computed elsewhere; a network needs inputs"
            )
        }
        self.record = record
        features = try record.allFeatures(from: store, interruption: interruption)
        targets = try record.targets(rows: 0..<record.rowCount, from: store)
        weights = try record.weights(rows: 0..<record.rowCount, from: store)
    }
}

extension DatasetRecord {
    /// Numbers in one example's input.
    var width: Int { exampleShape.reduce(1, *) }

    /// About the bytes of all examples in memory: numbers that kernels know as they are, others in single precision; nil where they can't
    /// be counted.
    var loadedByteCount: Int? {
        guard let inputs = Int.floatBytes(rowCount, width), let labels = Int.floatBytes(rowCount, 2) else { return nil }
        let isNarrow = elementType == .uint8 || elementType == .float16
        let (sum, overflow) = (isNarrow ? inputs / 4 * elementType.byteCount : inputs).addingReportingOverflow(labels)
        return overflow ? nil : sum
    }

    /// The inputs of all rows.
    /// - Throws: `StoreError`, `Interrupted`; `Problem` where the stored numbers can't be used.
    func allFeatures(from store: Store, interruption: Interruption) throws -> FeatureRows {
        let count = rowCount * width
        let multiplier = Float(1 / divisor)
        if let (storage, bytes) = FeatureRows.Storage.uninitialized(elementType, count: count) {
            try store.loadInputs(of: self, into: bytes) { try interruption.check() }
            return FeatureRows(storage, count: rowCount, width: width, multiplier: multiplier)
        }
        // Each block becomes floats at a place of its own.
        let memory = AlignedMemory<Float>(uninitialized: count)
        let streaming = BlockStreaming(budget: 32 << 20, workers: 2, readers: 0)
        try store.forEachInputBlock(of: self, streaming: streaming, checkCancellation: { try interruption.check() }) {
            [self] block in
            let place = memory.elements[block.rows.lowerBound * width..<block.rows.upperBound * width]
            _ = UnsafeMutableBufferPointer(rebasing: place).update(
                fromContentsOf: try floats(Data(block.bytes), rowCount: block.rows.count))
        }
        return FeatureRows(.float32(memory), count: rowCount, width: width, multiplier: multiplier)
    }

    /// The numbers of some rows in single precision.
    private func floats(_ bytes: Data, rowCount: Int) throws -> [Float] {
        guard let tensor = Tensor(elementType: elementType, shape: [rowCount, width], bytes: bytes) else {
            throw Problem(.internalServerError, "damaged-store", "dataset '\(name)' has rows of another size than it says")
        }
        return try tensor.floats()
    }

    /// The inputs of some rows.
    /// - Throws: `StoreError`; `Problem` where the stored numbers can't be used.
    func features(rows: Range<Int>, from store: Store) throws -> FeatureRows {
        let multiplier = Float(1 / divisor)
        let count = rows.count * width
        if let (storage, bytes) = FeatureRows.Storage.uninitialized(elementType, count: count) {
            try store.readInputs(of: self, rows: rows, into: bytes)
            return FeatureRows(storage, count: rows.count, width: width, multiplier: multiplier)
        }
        var bytes = Data(count: count * elementType.byteCount)
        try bytes.withUnsafeMutableBytes { try store.readInputs(of: self, rows: rows, into: $0) }
        return FeatureRows(try floats(bytes, rowCount: rows.count), width: width, multiplier: multiplier)
    }

    /// The targets of some rows.
    func targets(rows: Range<Int>, from store: Store) throws -> Targets {
        guard targetShape.isEmpty else {
            throw Problem(
                .unprocessableContent, "unsuitable-dataset",
                "dataset '\(name)' has targets of shape \(targetShape); a model needs one number for each example")
        }
        func read<Element: BitwiseCopyable>(_: Element.Type) throws -> [Element] {
            try [Element](unsafeUninitializedCapacity: rows.count) { buffer, initialized in
                try store.readTargets(
                    of: self, rows: rows,
                    into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<rows.count])))
                initialized = rows.count
            }
        }
        return targetType == .int32 ? .labels(try read(Int32.self)) : .values(try read(Float.self))
    }

    /// The weights of some rows; nil where all examples count the same.
    func weights(rows: Range<Int>, from store: Store) throws -> [Float]? {
        guard hasWeights else { return nil }
        return try [Float](unsafeUninitializedCapacity: rows.count) { buffer, initialized in
            try store.readWeights(
                of: self, rows: rows,
                into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<rows.count])))
            initialized = rows.count
        }
    }

    /// One example's target as the interface shows it: a label, a value, or several; nil where there is none.
    func targetJSON(row: Int, from store: Store) throws -> JSON? {
        guard hasTargets else { return nil }
        var bytes = Data(count: targetRowByteCount)
        try bytes.withUnsafeMutableBytes { try store.readTargets(of: self, rows: row..<row + 1, into: $0) }
        guard let tensor = Tensor(elementType: targetType, shape: targetShape, bytes: bytes) else {
            throw Problem(.internalServerError, "damaged-store", "dataset '\(name)' has targets of another size than it says")
        }
        if targetType == .int32, targetShape.isEmpty { return .integer(try tensor.integers()[0]) }
        return Self.nested(try tensor.floats()[...], targetShape)
    }

    /// One example's input as the interface shows it: its values, nested as its shape says.
    func json(values: [Float]) -> JSON { Self.nested(values[...], exampleShape) }

    private static func nested(_ values: ArraySlice<Float>, _ shape: [Int]) -> JSON {
        guard let extent = shape.first else { return values.first.map { .float($0) } ?? .null }
        guard shape.count > 1 else { return .array(values.map { .float($0) }) }
        let part = extent == 0 ? 0 : values.count / extent
        return .array(
            (0..<extent).map { i in
                nested(values[(values.startIndex + i * part)..<(values.startIndex + (i + 1) * part)], Array(shape.dropFirst()))
            })
    }
}

extension FeatureRows.Storage {
    /// Memory for so many numbers of a type that kernels know, with its bytes; nil for other types.
    fileprivate static func uninitialized(
        _ elementType: ElementType, count: Int
    ) -> (storage: Self, bytes: UnsafeMutableRawBufferPointer)? {
        switch elementType {
        case .uint8:
            let memory = AlignedMemory<UInt8>(uninitialized: count)
            return (.uint8(memory), UnsafeMutableRawBufferPointer(memory.elements))
        case .float16:
            let memory = AlignedMemory<UInt16>(uninitialized: count)
            return (.float16(memory), UnsafeMutableRawBufferPointer(memory.elements))
        case .float32:
            let memory = AlignedMemory<Float>(uninitialized: count)
            return (.float32(memory), UnsafeMutableRawBufferPointer(memory.elements))
        default: return nil
        }
    }
}
