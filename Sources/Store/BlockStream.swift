import Dispatch
import Foundation

/// Blocks on their way from the store past the bodies of their consumers, through a bounded number of buffers.
///
/// Any thread may take the next step that is due: run a body on a block that is ready, or read the next block into a free buffer.
/// Workers take either, in this order; readers only read. So one thread alone gets through, a stalled reader stalls nobody, and
/// no thread ever waits for a buffer while it holds one.
///
/// `@unchecked Sendable`: all that varies is only touched with `condition` locked. A buffer's bytes are only touched by the
/// thread that took the buffer from `free`, or its block from `ready`.
final class BlockStream: @unchecked Sendable {
    /// What is done with the blocks.
    struct Steps: Sendable {
        /// Fills a buffer, of the block's length, with the block.
        let read: @Sendable (BlockPlace, UnsafeMutableRawBufferPointer) throws -> Void
        /// Shows a worker a block that was read.
        let run: @Sendable (BlockPlace, UnsafeRawBufferPointer, _ worker: Int) throws -> Void
        /// Asked before each step; ends everything if it throws.
        let checkCancellation: @Sendable () throws -> Void
    }

    private typealias Buffer = UnsafeMutableRawBufferPointer

    private let places: [BlockPlace]
    private let steps: Steps
    private let bufferByteCount: Int
    private let bufferLimit: Int

    private let condition = NSCondition()
    private var nextPlace = 0
    /// Blocks that are being read.
    private var reading = 0
    private var ready: [(place: BlockPlace, buffer: Buffer)] = []
    private var free: [Buffer] = []
    private var buffers: [Buffer] = []
    private var failure: (any Error)?

    /// A stream of `places` with buffers of `budget` bytes together, or one buffer if that is too little.
    init(_ places: [BlockPlace], budget: Int, threads: Int, steps: Steps) {
        self.places = places
        self.steps = steps
        bufferByteCount = max(1, places.lazy.map(\.byteCount).max() ?? 0)
        // More than two for each thread would not be reached before they are used up again.
        bufferLimit = max(1, min(budget / bufferByteCount, 2 * threads, places.count))
    }

    /// Runs everything on the calling thread, as worker 0, and on as many others as are asked for and can be of use.
    ///
    /// - Throws: What the first step that failed has thrown. No step runs any more when this returns.
    func run(workers: Int, readers: Int) throws {
        let others = DispatchGroup()
        // Each queue of its own has a thread of its own, however many others wait.
        for reader in 0..<min(readers, bufferLimit) {
            DispatchQueue(label: "store.reader.\(reader)").async(group: others) { self.readAhead() }
        }
        for worker in 1..<max(1, min(workers, places.count)) {
            DispatchQueue(label: "store.worker.\(worker)").async(group: others) { self.work(worker) }
        }
        work(0)
        others.wait()
        condition.lock()
        defer { condition.unlock() }
        if let failure { throw failure }
    }

    deinit { for buffer in buffers { buffer.deallocate() } }

    /// A worker's life.
    private func work(_ worker: Int) {
        condition.lock()
        defer { condition.unlock() }
        while failure == nil {
            if !ready.isEmpty {
                let (place, buffer) = ready.removeFirst()
                perform {
                    try steps.run(place, UnsafeRawBufferPointer(rebasing: buffer[..<place.byteCount]), worker)
                }
                free.append(buffer)
                condition.broadcast()
            } else if let (place, buffer) = takePlace() {
                read(place, into: buffer)
            } else if nextPlace == places.count, reading == 0 {
                return
            } else {
                condition.wait()
            }
        }
    }

    /// A reader's life.
    private func readAhead() {
        condition.lock()
        defer { condition.unlock() }
        while failure == nil, nextPlace < places.count {
            if let (place, buffer) = takePlace() {
                read(place, into: buffer)
            } else {
                condition.wait()
            }
        }
    }

    /// The next block to be read and a buffer for it, if there are both. The lock is held.
    private func takePlace() -> (BlockPlace, Buffer)? {
        guard nextPlace < places.count else { return nil }
        let buffer: Buffer
        if let last = free.popLast() {
            buffer = last
        } else if buffers.count < bufferLimit {
            buffer = Buffer.allocate(byteCount: bufferByteCount, alignment: 64)
            buffers.append(buffer)
        } else {
            return nil
        }
        defer { nextPlace += 1 }
        return (places[nextPlace], buffer)
    }

    /// Reads a block, and says that it is ready. The lock is held, but not while it is read.
    private func read(_ place: BlockPlace, into buffer: Buffer) {
        reading += 1
        let isRead = perform { try steps.read(place, Buffer(rebasing: buffer[..<place.byteCount])) }
        reading -= 1
        if isRead {
            ready.append((place, buffer))
        } else {
            free.append(buffer)
        }
        condition.broadcast()
    }

    /// Takes a step with the lock let go of meanwhile; the first that fails is remembered.
    ///
    /// - Returns: Whether it succeeded.
    @discardableResult
    private func perform(_ step: () throws -> Void) -> Bool {
        condition.unlock()
        let result = Result {
            try steps.checkCancellation()
            try step()
        }
        condition.lock()
        guard case .failure(let error) = result else { return true }
        if failure == nil { failure = error }
        return false
    }
}
