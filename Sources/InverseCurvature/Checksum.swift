/// What shows that kept bytes have changed.
public enum Checksum {
    /// FNV-1a (Fowler, Noll & Vo) over words of eight bytes, and what is left: a change of one word always shows, as each step is one to one.
    public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var offset = 0
        while offset + 8 <= bytes.count {
            hash ^= UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            hash &*= 0x0000_0100_0000_01b3
            offset += 8
        }
        while offset < bytes.count {
            hash ^= UInt64(bytes[offset])
            hash &*= 0x0000_0100_0000_01b3
            offset += 1
        }
        return hash
    }
}
