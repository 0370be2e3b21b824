/// A fixed block of elements, aligned to 64 bytes: a cache line, and the widest vector registers there are.
///
/// Large numeric data lives here rather than in an `Array` because its size is decided once, it is shared by many
/// threads and it must not be zeroed before it is filled.
///
/// `@unchecked Sendable`: the memory is written only by its creator before it is shared, or in disjoint parts by
/// the threads of one `Parallel` loop; afterwards it is only read.
public final class AlignedMemory<Element: BitwiseCopyable>: @unchecked Sendable {
    /// The elements, which live as long as this object: hold it while they are used.
    public let elements: UnsafeMutableBufferPointer<Element>

    /// How many elements there are.
    public var count: Int { elements.count }

    /// The first element.
    public var start: UnsafeMutablePointer<Element> { elements.baseAddress! }

    /// A copy of the elements: also of memory that nobody else holds.
    public var copy: [Element] { withExtendedLifetime(self) { Array(elements) } }

    /// Allocates `count` elements of undefined value; at least one, so that there always is an address.
    public init(uninitialized count: Int) {
        precondition(count >= 0, "a count can't be negative")
        let bytes = max(count, 1) * MemoryLayout<Element>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        elements = UnsafeMutableBufferPointer(start: raw.bindMemory(to: Element.self, capacity: max(count, 1)), count: count)
    }

    /// Allocates a copy of some elements.
    public convenience init(copying elements: some Collection<Element>) {
        self.init(uninitialized: elements.count)
        _ = self.elements.initialize(from: elements)
    }

    /// Allocates `count` elements, each `value`.
    public convenience init(repeating value: Element, count: Int) {
        self.init(uninitialized: count)
        elements.initialize(repeating: value)
    }

    deinit { elements.baseAddress!.deallocate() }
}
