/// Σ term(i) over 0..<count in eight sums side by side, which the compiler may keep in vectors and whose errors grow more slowly than
/// those of one: the order is fixed. Indices can't overflow, and what checked that would stand in the way of vectors.
@inline(__always)
func laneSum<Number: Real>(_ count: Int, _ term: (Int) -> Number) -> Number {
    var (a0, a1, a2, a3): (Number, Number, Number, Number) = (0, 0, 0, 0)
    var (b0, b1, b2, b3): (Number, Number, Number, Number) = (0, 0, 0, 0)
    var i = 0
    while i &+ 8 <= count {
        a0 += term(i)
        a1 += term(i &+ 1)
        a2 += term(i &+ 2)
        a3 += term(i &+ 3)
        b0 += term(i &+ 4)
        b1 += term(i &+ 5)
        b2 += term(i &+ 6)
        b3 += term(i &+ 7)
        i &+= 8
    }
    var rest: Number = 0
    while i < count {
        rest += term(i)
        i &+= 1
    }
    return ((a0 + b0) + (a1 + b1)) + ((a2 + b2) + (a3 + b3)) + rest
}
