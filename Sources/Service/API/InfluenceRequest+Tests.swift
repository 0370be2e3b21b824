internal import Foundation
internal import JSON

extension InfluenceRequest.Test {
    /// Reads one test: a dataset's row, an input, or a gradient.
    init?(_ reader: JSONReader) {
        guard let object = reader.object(allowing: ["dataset", "index", "input", "gradient", "target", "versus"]) else {
            return nil
        }
        let target = object.optionalNumber("target")
        let versus = object.optionalNumber("versus")
        let source: Source
        switch (object.has("dataset"), object.has("input"), object.has("gradient")) {
        case (true, false, false):
            guard let dataset = object.string("dataset"), let index = object.integer("index", in: 0 ... .max) else { return nil }
            source = .example(dataset: dataset, index: index)
        case (false, true, false):
            guard let (values, shape) = object.value("input").flatMap({ $0.floats() }) else { return nil }
            source = .input(values: values, shape: shape)
        case (false, false, true):
            guard let (values, _) = object.value("gradient").flatMap({ $0.floats() }) else { return nil }
            if target != nil { object.report("target", "has no meaning beside a gradient; leave it out") }
            if versus != nil { object.report("versus", "has no meaning beside a gradient; leave it out") }
            source = .gradient(values)
        default:
            reader.report("must have exactly one of dataset (with index), input, and gradient")
            return nil
        }
        if !object.has("dataset"), object.has("index") { object.report("index", "goes with dataset; leave it out") }
        self.init(source: source, target: target, versus: versus, pointer: reader.pointer.description)
    }
}

extension JSONReader {
    /// Numbers given as nested or flat arrays, or as `{"dtype": "float32", "shape": […], "base64": "…"}`, in single precision.
    func floats() -> (values: [Float], shape: [Int])? {
        guard case .object = json else {
            guard let (values, shape) = numericArray() else { return nil }
            let floats = values.map { Float($0) }
            guard let index = floats.firstIndex(where: { !$0.isFinite }) else { return (floats, shape) }
            report("element \(index) is \(values[index]), beyond single precision")
            return nil
        }
        guard let object = object(allowing: ["dtype", "shape", "base64"]), object.choice("dtype", of: ["float32"]) != nil,
            let shape = object.value("shape", "an array of integers")?.integers(count: 1...8, in: 1...Int(Int32.max)),
            let text = object.string("base64")
        else { return nil }
        guard let data = Data(base64Encoded: text) else {
            object.report("base64", "is not base64 (RFC 4648 section 4, with padding)")
            return nil
        }
        let count = shape.reduce((1, false)) { partial, extent in
            let (product, overflow) = partial.0.multipliedReportingOverflow(by: extent)
            return (product, partial.1 || overflow)
        }
        guard !count.1, count.0 <= Int(Int32.max), data.count == count.0 * MemoryLayout<Float>.size else {
            object.report(
                "base64", "holds \(data.count) bytes, but float32 of shape \(shape) takes 4 × the product of its extents")
            return nil
        }
        let values = data.withUnsafeBytes { bytes in
            (0..<count.0).map { i in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)))
            }
        }
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            object.report("base64", "element \(index) is \(values[index]); every number must be finite")
            return nil
        }
        return (values, shape)
    }
}
