/// Sums over long vectors, accumulated in double precision so that their error does not grow with the length.
public enum Vectors {
    /// x · y, in double precision and in a fixed order.
    public static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) -> Double {
        var lanes = SIMD8<Double>.zero
        let blocked = count & ~7
        var i = 0
        while i < blocked {
            let a = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self)
            let b = UnsafeRawPointer(y + i).loadUnaligned(as: SIMD8<Float>.self)
            lanes += SIMD8<Double>(a) * SIMD8<Double>(b)
            i += 8
        }
        var total = lanes.sum()
        while i < count {
            total += Double(x[i]) * Double(y[i])
            i += 1
        }
        return total
    }

    /// ‖x‖₂; infinite or NaN where an element is.
    public static func norm(_ x: UnsafePointer<Float>, _ count: Int) -> Double { dot(x, x, count).squareRoot() }

    /// x · y of two arrays of one length.
    public static func dot(_ x: [Float], _ y: [Float]) -> Double {
        precondition(x.count == y.count, "vectors of different lengths")
        return x.withUnsafeBufferPointer { x in
            y.withUnsafeBufferPointer { y in x.isEmpty ? 0 : dot(x.baseAddress!, y.baseAddress!, x.count) }
        }
    }

    /// ‖x‖₂ of an array.
    public static func norm(_ x: [Float]) -> Double { dot(x, x).squareRoot() }

    /// Whether all elements are finite. Without branches, so that the compiler looks at several at a time.
    public static func areFinite(_ x: [Float]) -> Bool {
        let exponent: UInt32 = 0x7f80_0000
        var found: UInt32 = 0
        x.withUnsafeBufferPointer { x in
            for element in x { found |= element.bitPattern & exponent == exponent ? 1 : 0 }
        }
        return found == 0
    }
}
