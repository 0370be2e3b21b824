import Foundation
import FuzzProperties

/// The property to check, named in the environment: libFuzzer keeps the arguments to itself.
private let property: FuzzProperty = {
    let name = ProcessInfo.processInfo.environment["FUZZ_PROPERTY"] ?? ""
    guard let property = FuzzProperty.all.first(where: { $0.name == name }) else {
        fatalError("FUZZ_PROPERTY must be one of \(FuzzProperty.all.map(\.name).joined(separator: ", "))")
    }
    return property
}()

/// What libFuzzer calls with every input: it keeps the input if the process ends here.
@_cdecl("LLVMFuzzerTestOneInput")
public func checkProperty(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do { try property.check(Array(UnsafeBufferPointer(start: start, count: count))) } catch { fatalError("\(error)") }
    return 0
}
