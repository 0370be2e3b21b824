import Formats
import Foundation
import Testing

@Suite("Tensor")
struct TensorTests {
    private func tensor<Element>(_ type: ElementType, _ elements: [Element], shape: [Int]? = nil) throws -> Tensor {
        try #require(Tensor(elementType: type, shape: shape ?? [elements.count], bytes: elements.withUnsafeBytes { Data($0) }))
    }

    @Test("a shape that does not describe the bytes, is negative or overflows makes no tensor")
    func wrongShapes() {
        let bytes = Data(count: 24)
        #expect(Tensor(elementType: .float32, shape: [2, 3], bytes: bytes) != nil)
        #expect(Tensor(elementType: .float32, shape: [2, 4], bytes: bytes) == nil)
        #expect(Tensor(elementType: .float64, shape: [-1, -3], bytes: bytes) == nil)
        #expect(Tensor(elementType: .uint8, shape: [.max, 2], bytes: bytes) == nil)
        #expect(Tensor(elementType: .uint8, shape: [0, .max, 2], bytes: Data()) == nil)
        #expect(Tensor(elementType: .uint8, shape: [.max, 2, 0], bytes: Data()) == nil)
        #expect(Tensor.byteCount(of: [.max], .float32) == nil)
        #expect(Tensor.byteCount(of: [0, .max], .uint8) == 0)
        #expect(Tensor.byteCount(of: [], .float64) == 8)
    }

    @Test("rows of empty tensors and scalars are counted without overflow")
    func degenerateRows() throws {
        let empty = try #require(Tensor(elementType: .uint8, shape: [0, 1 << 40, 4], bytes: Data()))
        #expect(empty.rowCount == 0)
        #expect(empty.rowWidth == 1 << 42)
        #expect(try empty.floats().isEmpty)
        #expect(try empty.rows(0..<0).shape == [0, 1 << 40, 4])
        let scalar = try tensor(.float32, [2.5] as [Float], shape: [])
        #expect(scalar.rowCount == 1)
        #expect(try scalar.floats() == [2.5])
        #expect(throws: TensorError("a scalar has no rows")) { try scalar.rows(0..<1) }
        let flat = try #require(Tensor(elementType: .int16, shape: [3, 0], bytes: Data()))
        #expect(flat.rowWidth == 0)
        #expect(try flat.rows(1..<3).shape == [2, 0])
    }

    @Test("every type is read as floats, doubles and integers")
    func conversions() throws {
        let cases: [(Tensor, [Double])] = [
            (try tensor(.bool, [0, 1] as [UInt8]), [0, 1]), (try tensor(.uint8, [0, 255] as [UInt8]), [0, 255]),
            (try tensor(.int8, [-128, 127] as [Int8]), [-128, 127]),
            (try tensor(.int16, [.min, .max] as [Int16]), [-32768, 32767]),
            (try tensor(.uint16, [0, .max] as [UInt16]), [0, 65535]), (try tensor(.int32, [-7, 7] as [Int32]), [-7, 7]),
            (try tensor(.uint32, [0, 1 << 31] as [UInt32]), [0, 2_147_483_648]),
            (try tensor(.int64, [-9, 9] as [Int64]), [-9, 9]),
            (try tensor(.uint64, [1, 1 << 40] as [UInt64]), [1, 1_099_511_627_776]),
            (try tensor(.float16, [0x3C00, 0xC000] as [UInt16]), [1, -2]),
            (try tensor(.bfloat16, [0x3F80, 0xC040] as [UInt16]), [1, -3]),
            (try tensor(.float32, [-4, 1024] as [Float]), [-4, 1024]), (try tensor(.float64, [5, -6] as [Double]), [5, -6]),
        ]
        #expect(Set(cases.map(\.0.elementType)) == Set(ElementType.allCases))
        for (tensor, values) in cases {
            #expect(try tensor.doubles() == values)
            #expect(try tensor.floats() == values.map { Float($0) })
            #expect(try tensor.integers() == values.map { Int($0) })
        }
        #expect(try tensor(.float16, [0x0001, 0x7BFF, 0x3555] as [UInt16]).floats() == [0x1p-24, 65504, 0.33325195])
        #expect(try tensor(.bfloat16, [0x7F7F, 0x0001] as [UInt16]).floats() == [3.3895314e38, Float(bitPattern: 0x10000)])
        #expect(try tensor(.float64, [0.1] as [Double]).floats() == [0.1])
    }

    @Test("numbers that are not finite, too big or not whole are refused with the place of the first")
    func refusedElements() throws {
        func reason(_ body: () throws -> Void) -> String? { #expect(throws: TensorError.self, performing: body)?.reason }
        let nan = try tensor(.float32, [1, 2, 3, .nan, .infinity, 6] as [Float], shape: [2, 3])
        #expect(reason { _ = try nan.floats() } == "element 3 (at [1, 0]) is NaN; every number must be finite")
        #expect(reason { _ = try nan.rows(1..<2).integers() } == "element 0 (at [0, 0]) is NaN; every number must be finite")
        #expect(
            reason { _ = try tensor(.float16, [0, 0xFC00] as [UInt16]).floats() }
                == "element 1 is infinite; every number must be finite")
        #expect(
            reason { _ = try tensor(.bfloat16, [0x7FC0] as [UInt16]).doubles() }
                == "element 0 is NaN; every number must be finite")
        #expect(
            reason { _ = try tensor(.float64, [1, 1e39] as [Double]).floats() } == "element 1 is 1e+39, beyond single precision")
        #expect(try tensor(.float64, [1, 1e39] as [Double]).doubles() == [1, 1e39])
        #expect(
            reason { _ = try tensor(.float32, [1, 1.5] as [Float]).integers() }
                == "element 1 is 1.5, not an integer that fits 64 bits")
        #expect(
            reason { _ = try tensor(.float64, [1e19] as [Double]).integers() }
                == "element 0 is 1e+19, not an integer that fits 64 bits")
        #expect(
            reason { _ = try tensor(.uint64, [.max] as [UInt64]).integers() }
                == "element 0 is 1.8446744073709552e+19, not an integer that fits 64 bits")
        #expect(reason { _ = try tensor(.bool, [1, 2] as [UInt8]).floats() } == "element 1 is the byte 2; a boolean is 0 or 1")
        #expect(reason { _ = try tensor(.bool, [1, 2] as [UInt8]).integers() } == "element 1 is the byte 2; a boolean is 0 or 1")
    }

    @Test("rows are sliced without copying, also of slices, and out of range refused")
    func rows() throws {
        let whole = try tensor(.int16, Array(0..<12) as [Int16], shape: [4, 3])
        let middle = try whole.rows(1..<4)
        #expect(middle.shape == [3, 3])
        #expect(try middle.rows(1..<2).integers() == [6, 7, 8])
        #expect(try whole.rows(4..<4).integers() == [])
        whole.bytes.withUnsafeBytes { all in
            middle.bytes.withUnsafeBytes { slice in #expect(slice.baseAddress == all.baseAddress.map { $0 + 6 }) }
        }
        #expect(throws: TensorError("rows 3:5 were asked for, but there are 4")) { try whole.rows(3..<5) }
        #expect(throws: TensorError.self) { try whole.rows(-1..<2) }
        #expect(throws: TensorError.self) { try whole.rows(.max - 1 ..< .max) }
    }

    @Test("reshaping keeps the elements, and a single column loses its second extent")
    func reshaping() throws {
        let column = try tensor(.float32, [1, 2, 3] as [Float], shape: [3, 1])
        #expect(try column.singleColumn().shape == [3])
        #expect(try column.reshaped([1, 3, 1]).floats() == [1, 2, 3])
        #expect(throws: TensorError.self) { try column.reshaped([2, 2]) }
        #expect(throws: TensorError.self) { try column.reshaped([1, 3]).singleColumn() }
        #expect(throws: TensorError.self) { try column.rows(0..<1).reshaped([]).singleColumn() }
    }
}
