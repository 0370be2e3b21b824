import FuzzProperties
import ServiceFuzzProperties

/// What libFuzzer calls with every input: it keeps the input if the process ends here.
@_cdecl("LLVMFuzzerTestOneInput")
public func checkQuery(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do { try FuzzProperty.query.check(Array(UnsafeBufferPointer(start: start, count: count))) } catch { fatalError("\(error)") }
    return 0
}
