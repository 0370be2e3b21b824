import LinearAlgebra
import TestSupport
import Testing

@Suite("functions of one number")
struct ElementwiseFunctionTests {
    static let smooth: [ElementwiseFunction] = [
        .tanh, .sigmoid, .silu, .gelu, .geluTanh, .softplus(beta: 1, threshold: 20), .softplus(beta: 3.5, threshold: 20),
        .softplus(beta: 0.1, threshold: 2), .softplus(beta: 1, threshold: .infinity),
    ]
    static let all: [ElementwiseFunction] = smooth + [.relu, .leakyReLU(slope: 0.01), .leakyReLU(slope: -2)]

    /// Value, first and second derivative.
    private static func jet(_ function: ElementwiseFunction, _ x: [Float]) -> [[Float]] {
        var value = [Float](repeating: 77, count: x.count)
        var (first, second) = (value, value)
        function.evaluate(x, count: x.count, value: &value, first: &first, second: &second)
        return [value, first, second]
    }

    private static func jet(_ function: ElementwiseFunction, _ x: [Double]) -> [[Double]] {
        var value = [Double](repeating: 77, count: x.count)
        var (first, second) = (value, value)
        function.evaluate(x, count: x.count, value: &value, first: &first, second: &second)
        return [value, first, second]
    }

    /// Numbers of every size, most where functions bend.
    static func grid(_ count: Int) -> [Float] {
        var numbers = SeededNumbers(5)
        var x: [Float] = [
            0, -0.0, 88, -88, 104, -104, 1e30, -1e30, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude,
            -.greatestFiniteMagnitude,
        ]
        for i in 0..<count {
            x.append((Float(i) / Float(count) - 0.5) * 48)
            x.append((Float(i) / Float(count) - 0.5) * 240)
            let bits = UInt32(truncatingIfNeeded: numbers.next())
            let any = Float(bitPattern: bits)
            if any.isFinite { x.append(any) }
        }
        return x
    }

    static func expectPrecision(_ x: [Float]) {
        for function in all {
            let (actual, expected) = (jet(function, x), jet(function, x.map { Double($0) }))
            for order in 0..<3 {
                for i in x.indices {
                    let reference = expected[order][i]
                    let rounded = Float(reference)
                    // Derivatives cross zero, where only the absolute error counts.
                    let slack = order == 0 ? 0 : 1e-9
                    let bound = 0.6 * Double(rounded.isFinite ? rounded.ulp : 0) + slack
                    guard abs(Double(actual[order][i]) - reference) <= bound || actual[order][i] == rounded else {
                        Issue.record("\(function), derivative \(order) at \(x[i]): \(actual[order][i]), not \(reference)")
                        return
                    }
                }
            }
        }
    }

    @Test("single precision is double precision rounded, at numbers of every size")
    func precision() { Self.expectPrecision(Self.grid(BuildConfiguration.isOptimized ? 100_000 : 4000)) }

    static func expectIndependence() {
        let numbers = grid(30)
        for function in all {
            let alone = numbers.map { number in jet(function, [number]).map { $0[0].bitPattern } }
            for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70] {
                for start in 0..<5 {
                    let results = jet(function, Array(numbers[start..<start + count]))
                    for order in 0..<3 {
                        #expect(results[order].map(\.bitPattern) == alone[start..<start + count].map { $0[order] })
                    }
                }
            }
        }
    }

    @Test("a number's result has the same bits wherever it stands and however many there are")
    func independence() { Self.expectIndependence() }

    @Test("and so on every vector unit that the processor has")
    func units() async {
        await #expect(processExitsWith: .success) {
            for unit in ["baseline", "AVX2", "AVX-512", "AVX-512 VNNI"] where VectorUnit.use(unit) {
                ElementwiseFunctionTests.expectPrecision(ElementwiseFunctionTests.grid(2000))
                ElementwiseFunctionTests.expectIndependence()
                SoftmaxTests.expectPrecision()
            }
        }
    }

    @Test("only what is asked for is written, only as far as counted, at any address, and in place", arguments: all)
    func outputs(function: ElementwiseFunction) {
        let x = Array(Self.grid(30).prefix(38))
        let expected = Self.jet(function, x)
        for order in 0..<3 {
            for start in 1..<4 {
                var memory = [Float](repeating: 55, count: start) + x + [55]
                memory.withUnsafeMutableBufferPointer { memory in
                    let place = memory.baseAddress! + start
                    function.evaluate(
                        place, count: x.count, value: order == 0 ? place : nil, first: order == 1 ? place : nil,
                        second: order == 2 ? place : nil)
                }
                #expect(memory.prefix(start).allSatisfy { $0 == 55 } && memory.last == 55)
                #expect(memory[start..<start + x.count].map(\.bitPattern) == expected[order].map(\.bitPattern))
            }
        }
        function.evaluate(x, count: x.count)
    }

    @Test("NaN gives NaN, and infinities give limits", arguments: all)
    func special(function: ElementwiseFunction) {
        let single = Self.jet(function, [Float.nan, .infinity, -.infinity])
        let double = Self.jet(function, [Double.nan, .infinity, -.infinity])
        let (left, slope): (Float, Float) =
            switch function {
            case .tanh: (-1, 0)
            case .leakyReLU(let slope): (slope > 0 ? -.infinity : .infinity, slope)
            default: (0, 0)
            }
        let saturates = function == .tanh || function == .sigmoid
        for order in 0..<3 {
            #expect(single[order][0].isNaN && double[order][0].isNaN)
            let right: Float = [saturates ? 1 : .infinity, saturates ? 0 : 1, 0][order]
            #expect(single[order][1] == right && double[order][1] == Double(right), "order \(order)")
            let expected = [left, slope, 0][order]
            #expect(single[order][2] == expected && double[order][2] == Double(expected), "order \(order)")
        }
    }

    @Test("derivatives at a kink are those on its left, as PyTorch's; zero keeps its sign where the function is odd there")
    func kinks() {
        for zero in [Float(0), -0.0] {
            #expect(Self.jet(.relu, [zero]).map { $0[0] } == [0, 0, 0])
            #expect(Self.jet(.leakyReLU(slope: 0.25), [zero]).map { $0[0] } == [0, 0.25, 0])
            for function in [ElementwiseFunction.tanh, .silu, .gelu, .geluTanh, .leakyReLU(slope: 0.25)] {
                #expect(Self.jet(function, [zero])[0][0].sign == zero.sign)
            }
        }
    }

    @Test("softplus is straight beyond its threshold and not at it")
    func threshold() {
        let softplus = ElementwiseFunction.softplus(beta: 2, threshold: 3)
        for (x, straight) in [(Float(1.5), false), (Float(1.5).nextUp, true)] {
            let single = Self.jet(softplus, [x]).map { $0[0] }
            let double = Self.jet(softplus, [Double(x)]).map { $0[0] }
            #expect((single[0] == x && single[1] == 1 && single[2] == 0) == straight)
            #expect((double[0] == Double(x) && double[1] == 1 && double[2] == 0) == straight)
        }
    }

    @Test("double precision agrees with values computed to thirty digits (mpmath)", arguments: ElementwiseValues.all)
    func values(_ expected: ElementwiseValues) {
        let results = Self.jet(expected.function, [expected.x]).map { $0[0] }
        for (result, value) in zip(results, expected.jet) { #expect(abs(result - value) <= 6e-16 * max(abs(value), 0.1)) }
    }

    @Test("derivatives are those of the value", arguments: all)
    func derivatives(function: ElementwiseFunction) {
        let x = (-60..<60).map { Double($0) / 8 + 0.01 }
        let step = 1e-5
        let (below, above) = (Self.jet(function, x.map { $0 - step }), Self.jet(function, x.map { $0 + step }))
        let here = Self.jet(function, x)
        for order in 0..<2 {
            for i in x.indices {
                // Where softplus straightens its derivatives jump.
                if case .softplus(let beta, let threshold) = function, abs(x[i] * Double(beta) - Double(threshold)) < 0.01 {
                    continue
                }
                let slope = (above[order][i] - below[order][i]) / (2 * step)
                #expect(abs(slope - here[order + 1][i]) < 1e-8, "order \(order) at \(x[i])")
            }
        }
    }
}
