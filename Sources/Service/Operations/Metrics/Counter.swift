internal import Synchronization

/// A number that only grows. Any thread; an addition is one atomic instruction.
final class Counter: Sendable {
    private let family: MetricFamily
    private let count = Atomic(0)

    /// A counter at zero.
    init(_ name: String, _ help: String) { family = .counter(name, help) }

    /// Adds to it.
    func add(_ amount: Int = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

    /// What it is at.
    var value: Int { count.load(ordering: .relaxed) }

    /// Writes it out.
    func write(to text: inout ExpositionWriter) { text.write(family, value) }
}

/// Counters of one family, one for each value that a label may have; the values are those of a type, so that there are no others.
/// Any thread.
final class CounterFamily<Label: CaseIterable & Hashable & RawRepresentable<String> & Sendable>: Sendable {
    private let family: MetricFamily
    private let labelName: String
    private let counts: Mutex<[Label: Int]>

    /// Counters at zero. All are written out from the start, so that the first event shows as an increase.
    init(_ name: String, label: String, _ help: String) {
        family = .counter(name, help)
        labelName = label
        counts = Mutex(Dictionary(uniqueKeysWithValues: Label.allCases.map { ($0, 0) }))
    }

    /// Adds one to the counter of `label`.
    func add(_ label: Label) { counts.withLock { $0[label, default: 0] += 1 } }

    /// What the counter of `label` is at.
    func value(_ label: Label) -> Int { counts.withLock { $0[label, default: 0] } }

    /// Writes them out, in the order of the cases.
    func write(to text: inout ExpositionWriter) {
        let counts = counts.withLock { $0 }
        text.begin(family)
        for label in Label.allCases { text.sample(family.name, [(labelName, label.rawValue)], counts[label, default: 0]) }
    }
}
