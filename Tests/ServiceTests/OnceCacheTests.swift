import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Service

@Suite("The cache of costly values")
struct OnceCacheTests {
    private struct Failure: Error {}

    /// Counts how often each value was made.
    private final class Maker: Sendable {
        private let made = Mutex<[String: Int]>([:])

        func make(_ key: String) -> String {
            made.withLock { $0[key, default: 0] += 1 }
            return "value of \(key)"
        }

        func count(_ key: String) -> Int { made.withLock { $0[key] ?? 0 } }
    }

    private func get(_ key: String, from cache: OnceCache<String, String>, _ maker: Maker, cost: Int = 1) -> String {
        cache.value(for: key, cost: { _ in cost }) { maker.make(key) }
    }

    @Test("a value is made when it is first asked for, and then kept")
    func once() {
        let (cache, maker) = (OnceCache<String, String>(capacity: 10), Maker())
        for _ in 0..<3 { #expect(get("a", from: cache, maker, cost: 4) == "value of a") }
        #expect(maker.count("a") == 1)
        #expect(cache.totalCost == 4)
    }

    @Test("however many ask at a time, one makes it and all get it")
    func concurrently() {
        let cache = OnceCache<Int, Int>(capacity: 1_000)
        let made = Atomic(0)
        let right = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 200) { index in
            let value = cache.value(for: index % 5, cost: { _ in 1 }) {
                usleep(2_000)
                made.wrappingAdd(1, ordering: .relaxed)
                return index % 5 * 100
            }
            if value == index % 5 * 100 { right.wrappingAdd(1, ordering: .relaxed) }
        }
        let (rightCount, madeCount) = (right.load(ordering: .relaxed), made.load(ordering: .relaxed))
        #expect(rightCount == 200)
        #expect(madeCount == 5)
        #expect(cache.totalCost == 5)
    }

    @Test("what was used longest ago goes first, when there is no room for all")
    func eviction() {
        let (cache, maker) = (OnceCache<String, String>(capacity: 10), Maker())
        for key in ["a", "b", "c"] { _ = get(key, from: cache, maker, cost: 3) }
        _ = get("a", from: cache, maker)
        _ = get("d", from: cache, maker, cost: 3)
        #expect(cache.totalCost == 9)
        for key in ["a", "c", "d"] { _ = get(key, from: cache, maker, cost: 3) }
        #expect(["a", "c", "d"].allSatisfy { maker.count($0) == 1 })
        _ = get("b", from: cache, maker, cost: 3)
        #expect(maker.count("b") == 2)
    }

    @Test("a value larger than all room is kept as long as it is the newest")
    func oversized() {
        let (cache, maker) = (OnceCache<String, String>(capacity: 10), Maker())
        _ = get("small", from: cache, maker, cost: 1)
        for _ in 0..<2 { _ = get("huge", from: cache, maker, cost: 50) }
        #expect(maker.count("huge") == 1)
        #expect(cache.totalCost == 50)
        _ = get("other", from: cache, maker, cost: 2)
        #expect(cache.totalCost == 2)
    }

    @Test("what is no longer kept is told of once, whether room was made or it was removed, and made anew when it is asked for")
    func gone() {
        let told = Mutex<[String]>([])
        let cache = OnceCache<String, String>(capacity: 10) { key, value in told.withLock { $0.append("\(key): \(value)") } }
        let maker = Maker()
        for key in ["a", "b", "c"] { _ = get(key, from: cache, maker, cost: 4) }
        #expect(told.withLock { $0 } == ["a: value of a"])
        cache.remove { key, value in key == "b" && value == "value of b" }
        cache.remove { key, _ in key == "b" || key == "none" }
        #expect(told.withLock { $0 } == ["a: value of a", "b: value of b"])
        #expect(cache.totalCost == 4)
        _ = get("b", from: cache, maker, cost: 4)
        #expect(maker.count("b") == 2 && maker.count("c") == 1)
    }

    @Test("what is touched is not the next to go")
    func touching() {
        let (cache, maker) = (OnceCache<String, String>(capacity: 10), Maker())
        for key in ["a", "b"] { _ = get(key, from: cache, maker, cost: 5) }
        cache.touch("a")
        cache.touch("none")
        _ = get("c", from: cache, maker, cost: 5)
        for key in ["a", "c"] { _ = get(key, from: cache, maker, cost: 5) }
        #expect(["a", "b", "c"].map { maker.count($0) } == [1, 1, 1])
    }

    @Test("a failure reaches who asked, is not kept, and costs nothing")
    func failure() throws {
        let (cache, maker) = (OnceCache<String, String>(capacity: 10), Maker())
        for _ in 0..<2 {
            #expect(throws: Failure.self) {
                try cache.value(for: "a", cost: { _ in 1 }) { () throws -> String in
                    _ = maker.make("a")
                    throw Failure()
                }
            }
        }
        #expect(maker.count("a") == 2)
        #expect(cache.totalCost == 0)
        #expect(get("a", from: cache, maker) == "value of a")
        #expect(get("a", from: cache, maker) == "value of a")
        #expect(maker.count("a") == 3)
    }

    @Test("who waits for a value whose making fails makes it, and it is kept like any other")
    func failureWithOthersWaiting() {
        let (cache, maker) = (OnceCache<String, String>(capacity: 10), Maker())
        let (isMaking, mayFail, isDone) = (
            DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
        )
        Thread.detachNewThread {
            _ = try? cache.value(for: "a", cost: { _ in 1 }) { () throws -> String in
                isMaking.signal()
                mayFail.wait()
                throw Failure()
            }
        }
        isMaking.wait()
        let waiting = 3
        let begun = Atomic(0)
        for _ in 0..<waiting {
            Thread.detachNewThread {
                begun.wrappingAdd(1, ordering: .relaxed)
                #expect(get("a", from: cache, maker) == "value of a")
                isDone.signal()
            }
        }
        let allBegun = eventually { begun.load(ordering: .relaxed) == waiting }
        #expect(allBegun)
        // Long enough for all of them to wait for the one who makes it.
        usleep(50_000)
        mayFail.signal()
        for _ in 0..<waiting { #expect(isDone.wait(timeout: .now() + 20) == .success) }
        #expect(get("a", from: cache, maker) == "value of a")
        #expect(maker.count("a") == 1)
        #expect(cache.totalCost == 1)
    }

    @Test("who wants one value does not wait for another that is being made")
    func independence() {
        let (cache, maker) = (OnceCache<String, String>(capacity: 10), Maker())
        let (isMaking, mayEnd, isDone) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        Thread.detachNewThread {
            _ = cache.value(for: "slow", cost: { _ in 1 }) { () -> String in
                isMaking.signal()
                mayEnd.wait()
                return "late"
            }
            isDone.signal()
        }
        isMaking.wait()
        #expect(get("quick", from: cache, maker) == "value of quick")
        #expect(cache.totalCost == 1)
        mayEnd.signal()
        #expect(isDone.wait(timeout: .now() + 20) == .success)
        #expect(cache.totalCost == 2)
    }
}
