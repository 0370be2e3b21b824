/// What an engine counts of its work.
final class EngineCounters: Sendable {
    /// Solves, each for all compatible requests that waited together.
    let batches = Counter("influence_batches_total", "Solves, each for all compatible requests that waited together.")
    /// Right-hand sides of those solves.
    let batchedRightHandSides = Counter("influence_batched_right_hand_sides_total", "Right-hand sides of all solves.")
    /// s_test vectors that were found in the cache.
    let solutionCacheHits = Counter("influence_stest_cache_hits_total", "s_test vectors found in the cache.")
    /// s_test vectors that were not.
    let solutionCacheMisses = Counter("influence_stest_cache_misses_total", "s_test vectors not found in the cache.")

    /// All of them.
    var all: [Counter] { [batches, batchedRightHandSides, solutionCacheHits, solutionCacheMisses] }
}
