internal import LinearAlgebra

// Products of examples' gradients with a few others': see `PairProducts`.
extension Computation where Number == Float {
    /// gᵢ·g′ₖ from the factors of examples: those of place k of the batch are the k-th row behind `rows`, or the row of the example itself
    /// where `byExample`.
    func scores(
        ofFactors rows: UnsafePointer<Float>, byExample: Bool, _ layout: FactorLayout, of batch: ExampleBatch,
        _ features: FeatureRows, with products: PairProducts, into scores: UnsafeMutablePointer<Float>, stride: Int,
        interruption: Interruption
    ) throws {
        try withPass(.first, interruption: interruption) { pass in
            let room = PairRoom(products, capacity: pass.capacity)
            // Whole tiles, if that many fit.
            let size = max(min(pass.capacity, RowTile.capacity), pass.capacity / RowTile.capacity * RowTile.capacity)
            for start in Swift.stride(from: 0, to: batch.count, by: size) {
                let chunk = start..<min(start + size, batch.count)
                for k in 0..<products.count { (scores + k * stride + start).update(repeating: 0, count: chunk.count) }
                // Where the chunk's rows are neighbours, they are read where they lie.
                var first: UnsafePointer<Float>?
                if !byExample {
                    first = rows + start * layout.width
                } else if case .range(let range) = batch {
                    first = rows + (range.lowerBound + start) * layout.width
                }
                for layer in products.layers {
                    let part = layer.part
                    if part.x == nil, layer.readsInputs { load(chunk, of: batch, features, into: pass) }
                    if first == nil || layer.readsPass {
                        for row in 0..<chunk.count {
                            pass.setFactors(
                                of: part, row: row,
                                from: first.map { $0 + row * layout.width } ?? rows + batch.example(start + row) * layout.width)
                        }
                    }
                    pass.prepare(part.step, rows: chunk.count, parameters)
                    let lying =
                        first.map { first in
                            FactorRows(
                                count: chunk.count, ahead: batch.count - chunk.upperBound,
                                x: part.x.map { first + $0.lowerBound }, dy: first + part.dy.lowerBound,
                                xStride: part.x == nil ? network.inputWidth : layout.width, dyStride: layout.width)
                        } ?? pass.factorRows(of: part)
                    try addProducts(
                        products, layer, lying, features, batch, at: start, in: pass, room, to: scores + start, stride: stride)
                }
            }
        }
    }

    /// gᵢ·g′ₖ of examples that go through the network and back, once for all others.
    func scores(
        of batch: ExampleBatch, _ examples: LabeledExamples, with products: PairProducts,
        into scores: UnsafeMutablePointer<Float>, stride: Int, interruption: Interruption
    ) throws {
        let room = PairRoom(products, capacity: network.rowsAtATime)
        try forEachBackward(of: batch, examples, interruption: interruption) { chunk, pass in
            for k in 0..<products.count {
                (scores + k * stride + chunk.lowerBound).update(repeating: 0, count: chunk.count)
            }
            for layer in products.layers {
                try addProducts(
                    products, layer, pass.factorRows(of: layer.part), examples.features, batch, at: chunk.lowerBound, in: pass,
                    room, to: scores + chunk.lowerBound, stride: stride)
            }
        }
    }

    /// Adds one layer's part to the scores of a chunk.
    private func addProducts(
        _ products: PairProducts, _ layer: PairProducts.Layer, _ rows: FactorRows, _ features: FeatureRows,
        _ batch: ExampleBatch, at place: Int, in pass: Pass<Float>, _ room: PairRoom, to scores: UnsafeMutablePointer<Float>,
        stride: Int
    ) throws {
        switch layer {
        case .outer(let pairs):
            for block in products.blocks {
                try pairs.add(
                    block, rows, features, batch, at: place, room.tile, sums: room.sums.start, to: scores, stride: stride)
                try pass.check(after: rows.count * block.count * pairs.operations)
            }
        case .positions(let pairs):
            let inputs = rows.x ?? UnsafePointer(pass.inputs)
            for block in products.blocks {
                try pairs.add(block, rows, x: inputs, scratch: room.scratch.start, to: scores, stride: stride) {
                    try pass.check(after: $0)
                }
            }
        case .written(let part):
            try products.vectors.withUnsafeBufferPointer { vectors in
                guard let start = vectors.baseAddress else { return }
                for k in 0..<products.count {
                    pass.addScores(
                        of: part.step, along: start + k * network.parameterCount, parameters, to: scores + k * stride)
                    try pass.check(afterForEachRow: network.steps[part.step].operations)
                }
            }
        }
    }
}

/// Memory that products of pairs need. One thread's own.
private struct PairRoom {
    let tile = RowTile()
    let sums, scratch: AlignedMemory<Float>

    init(_ products: PairProducts, capacity: Int) {
        sums = AlignedMemory(uninitialized: 2 * capacity * (products.blocks.first?.count ?? 0))
        scratch = AlignedMemory(
            uninitialized: products.layers.map { if case .positions(let pairs) = $0 { pairs.scratchCount } else { 0 } }.max() ?? 0
        )
    }
}

extension PairProducts.Layer {
    /// Whether it reads the network's inputs as floats, where they are its x.
    fileprivate var readsInputs: Bool { if case .outer = self { false } else { true } }
    /// Whether it reads x and δ where a pass has them.
    fileprivate var readsPass: Bool { if case .written = self { true } else { false } }
}

extension Pass where Number == Float {
    /// Where x and δ of a step lie, the network's input being read elsewhere.
    fileprivate func factorRows(of part: FactorLayout.Part) -> FactorRows {
        let (x, dy) = factors(of: part.step)
        let step = network.steps[part.step]
        return FactorRows(
            count: rows, x: part.x.map { _ in x }, dy: dy, xStride: step.inputWidth, dyStride: step.outputWidth)
    }
}
