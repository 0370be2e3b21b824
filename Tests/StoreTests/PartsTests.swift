import Formats
import Foundation
import GRDB
import Testing

@testable import Store

@Suite("The parts of the store")
struct PartsTests {
    @Test(
        "a digest is SHA-256, and prints as hexadecimal",
        arguments: [
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ])
    func sha256(text: String, digits: String) {
        #expect(ContentDigest(of: Data(text.utf8)).description == digits)
    }

    @Test("a digest of parts tells apart where one part ends and the next begins")
    func parts() {
        let lists = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"], [], ["1:a", "b"], ["1", "a1:b"]]
        #expect(Set(lists.map { ContentDigest(ofParts: $0) }).count == lists.count)
        #expect(ContentDigest(ofParts: ["a", "b"]) == ContentDigest(ofParts: ["a", "b"]))
    }

    @Test("only 32 bytes are a digest, and slices of data are taken from where they begin")
    func digestBytes() {
        let data = Data(0..<40)
        #expect(ContentDigest(bytes: data[4..<36])?.bytes == Data(4..<36))
        #expect(ContentDigest(bytes: data[4..<35]) == nil)
        #expect(ContentDigest(bytes: data) == nil)
    }

    @Test("shapes survive as text, and nothing but what was written is read")
    func shapes() {
        for shape in [[], [0], [28, 28], [1, 2, 3, Int.max]] { #expect(ShapeText.decode(ShapeText.encode(shape)) == shape) }
        for text in [
            "", "[", "]", "[1", "1]", "[,]", "[1,]", "[ 1]", "[-1]", "[1.0]", "[+1]", "[01]", "[9223372036854775808]", "[[1]]",
        ] {
            #expect(ShapeText.decode(text) == nil, "\(text)")
        }
    }

    @Test("the nearest names come first, whatever their case, and no more than asked for")
    func nearest() {
        #expect(Names.nearest(to: "MNIST", among: ["iris", "mnist-2", "mnist"], limit: 2) == ["mnist", "mnist-2"])
        #expect(Names.nearest(to: "x", among: []).isEmpty)
        #expect(Names.nearest(to: "", among: ["bb", "a"]) == ["a", "bb"])
    }

    @Test("a NaN is found at any place and alignment, and large or tiny numbers are not taken for one", arguments: [0, 1, 3])
    func finite32(offset: Int) {
        let normal: [Float] = [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, -0.0, 1]
        let values = Array(repeating: normal, count: 500).flatMap { $0 }
        for place in [nil, 0, 1, 1023, 1024, 1025, 2999] as [Int?] {
            var values = values
            if let place { values[place] = place.isMultiple(of: 2) ? .nan : -.infinity }
            let data = Data(repeating: 0xFF, count: offset) + values.withUnsafeBytes { Data($0) }
            let found = data.withUnsafeBytes {
                FiniteScan.firstNonFinite(in: UnsafeRawBufferPointer(rebasing: $0[offset...]), .float32)
            }
            #expect(found == place)
        }
    }

    @Test(
        "every floating-point type knows its own NaN and infinity",
        arguments: [
            (ElementType.float16, [0x00, 0x7C] as [UInt8], [0xFF, 0x7B] as [UInt8]),
            (.float16, [0x01, 0xFC], [0x00, 0x80]),
            (.bfloat16, [0x80, 0x7F], [0x7F, 0x7F]),
            (.bfloat16, [0xC0, 0xFF], [0x00, 0x7C]),
            (.float64, [0, 0, 0, 0, 0, 0, 0xF0, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xEF, 0x7F]),
            (.float64, [1, 0, 0, 0, 0, 0, 0xF0, 0xFF], [0, 0, 0, 0, 0, 0, 0, 0x80]),
        ])
    func finiteTypes(type: ElementType, bad: [UInt8], good: [UInt8]) {
        (good + bad + good).withUnsafeBytes { #expect(FiniteScan.firstNonFinite(in: $0, type) == 1) }
        (good + good).withUnsafeBytes { #expect(FiniteScan.firstNonFinite(in: $0, type) == nil) }
    }

    @Test("whole numbers have no NaN, whatever their bits")
    func finiteIntegers() {
        let ones = [UInt8](repeating: 0xFF, count: 64)
        for type in ElementType.allCases where !type.isFloatingPoint {
            ones.withUnsafeBytes { #expect(FiniteScan.firstNonFinite(in: $0, type) == nil) }
        }
    }

    @Test("SQLite's result codes, extended ones too, become errors of their own")
    func resultCodes() {
        func error(_ code: ResultCode) -> StoreError {
            StoreError(DatabaseError(resultCode: code, message: "m"), path: "p", waited: 2)
        }
        #expect(error(.SQLITE_FULL) == .diskFull(path: "p"))
        #expect(error(.SQLITE_READONLY_DBMOVED) == .readOnly(path: "p"))
        #expect(error(.SQLITE_BUSY_SNAPSHOT) == .busy(path: "p", seconds: 2))
        #expect(error(.SQLITE_CORRUPT_INDEX) == .corrupt(what: "p", reason: "m"))
        #expect(error(.SQLITE_NOTADB) == .notAStore(path: "p", reason: "it is no SQLite database"))
        #expect(error(.SQLITE_IOERR_READ) == .io(path: "p", code: 266, message: "m"))
    }

    @Test("every error says where, what and what to do")
    func descriptions() {
        let cases: [(StoreError, String)] = [
            (
                .outOfRange(what: "dataset 'd'", rows: 7..<8, count: 5),
                "dataset 'd' has no row 7: it holds 5 rows, numbered from 0"
            ),
            (
                .outOfRange(what: "dataset 'd'", rows: 3..<8, count: 5),
                "dataset 'd' has no rows 3..<8: it holds 5 rows, numbered from 0"
            ),
            (
                .outOfRange(what: "d", rows: Int.min..<Int.max, count: 5),
                "d has no rows \(Int.min)..<\(Int.max): it holds 5 rows, numbered from 0"
            ),
            (.notFound(kind: .store, name: "/s", within: nil, nearby: []), "no store '/s'"),
            (.invalid(what: "x", reason: "it is y", change: "do z"), "x: it is y; do z"),
            (.corrupt(what: "x", reason: "y"), "x is damaged: y"),
            (
                .olderVersion(path: "/s", version: 1, knownVersion: 2),
                "/s has schema version 1 and must be brought to 2, but is open for reading only; open it once with write access"
            ),
            (
                .busy(path: "/s", seconds: 2),
                "/s is being written by someone else, and still was after 2.0 s; try again when they have finished"
            ),
            (.io(path: "/s", code: 266, message: "disk I/O error"), "/s: disk I/O error (SQLite result code 266)"),
        ]
        for (error, text) in cases { #expect(error.description == text) }
    }
}
