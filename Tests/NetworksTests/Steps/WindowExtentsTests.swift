@testable import Networks
import Testing

@Suite("extents of convolutions and pools")
struct WindowExtentsTests {
    private func extent(
        _ input: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, ceil: Bool = false
    ) -> Int? {
        let window = LayerSpec.Window(
            kernel: .init(kernel, 1), stride: .init(stride, 1), padding: .init(padding, 0), dilation: .init(dilation, 1))
        return window.outputExtents(of: .init(input, 1), ceilMode: ceil)?.height
    }

    /// (input, kernel, stride, padding, dilation) and what torch.nn.functional.max_pool2d puts out without and with ceil_mode.
    static let pytorch: [([Int], Int?, Int?)] = [
        ([2, 3, 2, 0, 1], nil, 1), ([2, 3, 1, 0, 1], nil, nil), ([1, 3, 2, 0, 1], nil, nil), ([5, 2, 3, 1, 1], 2, 2),
        ([4, 1, 3, 0, 1], 2, 2), ([3, 2, 2, 1, 1], 2, 2), ([2, 2, 1, 1, 3], 1, 1), ([2, 5, 4, 0, 1], nil, 1),
        ([1, 2, 2, 1, 1], 1, 1), ([6, 3, 4, 1, 1], 2, 2), ([7, 2, 2, 0, 1], 3, 4), ([8, 3, 2, 1, 2], 3, 4),
    ]

    @Test("are PyTorch's", arguments: pytorch)
    func reference(sizes: [Int], floor: Int?, ceil: Int?) {
        for (mode, expected) in [(false, floor), (true, ceil)] {
            #expect(
                extent(sizes[0], kernel: sizes[1], stride: sizes[2], padding: sizes[3], dilation: sizes[4], ceil: mode)
                    == expected)
        }
    }

    @Test("of windows larger than their input, and of sizes that are not positive, there are none")
    func refused() {
        #expect(extent(3, kernel: 4) == nil)
        #expect(extent(3, kernel: 2, dilation: 3) == nil)
        #expect(extent(3, kernel: 4, padding: 1) == 2)
        for (kernel, stride, padding, dilation) in [(0, 1, 0, 1), (1, 0, 0, 1), (1, 1, -1, 1), (1, 1, 0, 0), (-2, 1, 0, 1)] {
            #expect(extent(3, kernel: kernel, stride: stride, padding: padding, dilation: dilation) == nil)
        }
        #expect(extent(0, kernel: 1) == nil)
    }

    @Test("sizes that overflow are refused or counted, never trapped on", arguments: [false, true])
    func overflow(ceil: Bool) {
        #expect(extent(3, kernel: .max, dilation: .max, ceil: ceil) == nil)
        #expect(extent(3, kernel: 2, padding: .max, ceil: ceil) == nil)
        #expect(extent(.max, kernel: 1, padding: 1, ceil: ceil) == nil)
        #expect(extent(.max, kernel: 2, stride: .max, ceil: ceil) == 1)
        #expect(extent(.max, kernel: 1, ceil: ceil) == .max)
    }

    @Test("the spans of an adaptive pool cover the input and have the same length or nearly")
    func adaptive() {
        for (input, output) in [(7, 3), (3, 5), (10, 10), (1, 4), (9, 1)] {
            let spans = MeanPoolStep.adaptiveSpans(of: .init(input, 1), output: .init(output, 1)).vertical
            #expect(spans.count == output && spans.first?.range.lowerBound == 0 && spans.last?.range.upperBound == input)
            #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.range.upperBound >= $1.range.lowerBound })
            #expect(spans.allSatisfy { !$0.range.isEmpty && $0.extent == $0.range.count })
        }
    }
}
