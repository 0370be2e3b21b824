internal import LinearAlgebra
internal import Synchronization

/// The rows of an `ActivationLayout` for all examples, which spare products the ways through the network that no vector changes.
final class KeptActivations<Number: Real>: Sendable {
    private let layout: ActivationLayout
    private let memory: AlignedMemory<Number>

    /// Memory for so many examples.
    init(_ layout: ActivationLayout, count: Int) {
        self.layout = layout
        memory = AlignedMemory(uninitialized: layout.width * count)
    }

    /// Copies what a pass and the loss's state hold of some places of a batch to the examples' rows.
    func take(
        _ chunk: Range<Int>, of batch: ExampleBatch, from pass: Pass<Number>, _ state: UnsafePointer<Number>
    ) {
        for part in layout.parts {
            let (source, count) = (pass.memory(of: part.content), part.range.count)
            for row in 0..<chunk.count {
                self.row(chunk.lowerBound + row, of: batch, part.range).update(from: source + row * count, count: count)
            }
        }
        let count = layout.state.count
        for row in 0..<chunk.count {
            self.row(chunk.lowerBound + row, of: batch, layout.state).update(from: state + row * count, count: count)
        }
    }

    /// The other way round: what a pass needs for derivatives of these examples, and the loss's state.
    func give(
        _ chunk: Range<Int>, of batch: ExampleBatch, to pass: Pass<Number>, _ state: UnsafeMutablePointer<Number>
    ) {
        pass.restore(rows: chunk.count)
        for part in layout.parts {
            let (destination, count) = (pass.memory(of: part.content), part.range.count)
            for row in 0..<chunk.count {
                (destination + row * count).update(from: self.row(chunk.lowerBound + row, of: batch, part.range), count: count)
            }
        }
        let count = layout.state.count
        for row in 0..<chunk.count {
            (state + row * count).update(from: self.row(chunk.lowerBound + row, of: batch, layout.state), count: count)
        }
    }

    /// Whether a pass must also be given the network's inputs.
    var readsFeatures: Bool { layout.readsFeatures }

    @inline(__always)
    private func row(_ place: Int, of batch: ExampleBatch, _ range: Range<Int>) -> UnsafeMutablePointer<Number> {
        memory.start + batch.example(place) * layout.width + range.lowerBound
    }
}

/// Activations that are made once, when first asked for.
final class ActivationKeeper: Sendable {
    private enum State {
        case absent, underway
        case made(KeptActivations<Float>)
    }

    private let state = Mutex(State.absent)

    /// What was made; nil before that.
    var kept: KeptActivations<Float>? {
        state.withLock { if case .made(let kept) = $0 { kept } else { nil } }
    }

    /// Makes them unless that was done, or somebody else is about it: nobody waits, as everything can be computed without them.
    /// - Throws: what `make` throws; the next who asks then makes them.
    func make(_ make: () throws -> KeptActivations<Float>) throws {
        let isMine = state.withLock {
            guard case .absent = $0 else { return false }
            $0 = .underway
            return true
        }
        guard isMine else { return }
        do {
            let kept = try make()
            state.withLock { $0 = .made(kept) }
        } catch {
            state.withLock { $0 = .absent }
            throw error
        }
    }
}
