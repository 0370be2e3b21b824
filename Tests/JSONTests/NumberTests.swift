import JSON
import Testing

/// Numbers must be read to the nearest Double and written so that they read back the same.
@Suite("JSON numbers")
struct NumberTests {
    /// SplitMix64: the same numbers in every run.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private func read(_ text: String) throws -> Double {
        try #require(try JSON(parsing: text).doubleValue)
    }

    @Test("20,000 random decimals of every length and exponent are read as Swift reads them")
    func agreesWithSwift() throws {
        var generator = Generator(state: 1)
        for _ in 0..<20_000 {
            let digits = (0..<Int.random(in: 1...24, using: &generator)).map { _ in
                String(Int.random(in: 0...9, using: &generator))
            }.joined()
            var text = Bool.random(using: &generator) ? "-" : ""
            text += "\(Int.random(in: 0...9, using: &generator)).\(digits)"
            let spread = [0, 5, 30, 280][Int.random(in: 0...3, using: &generator)]
            let exponent = Int.random(in: -spread...spread, using: &generator)
            if exponent != 0 { text += "e\(exponent)" }
            #expect(try read(text).bitPattern == Double(text)?.bitPattern, "\(text)")
        }
    }

    @Test("20,000 random integers of up to 22 digits are read as Swift reads them")
    func integers() throws {
        var generator = Generator(state: 2)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...21, using: &generator)
            let text =
                "\(Int.random(in: 1...9, using: &generator))"
                + (0..<count).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
            let json = try JSON(parsing: text)
            if let integer = Int(text) {
                #expect(json.integerValue == integer)
            } else {
                #expect(json.doubleValue == Double(text))
            }
        }
    }

    @Test("numbers halfway between two Doubles, or just beside, round to the nearest, ties to even")
    func halfway() throws {
        var generator = Generator(state: 3)
        for _ in 0..<5_000 {
            let whole = UInt64.random(in: 1 << 53..<1 << 62, using: &generator)
            let unit = UInt64(1) << UInt64(63 - whole.leadingZeroBitCount - 53)
            let tie = whole & ~(unit * 2 - 1) | unit
            for integer in [tie - 1, tie, tie + 1] {
                for text in [
                    "\(integer).0", "\(integer)e0", "\(integer)00e-2", "\(integer / 10).\(integer % 10)e1", "\(integer)e5",
                    "\(integer)e-27",
                ] {
                    #expect(try read(text).bitPattern == Double(text)?.bitPattern, "\(text)")
                }
            }
        }
    }

    @Test("20,000 random Doubles and Floats survive writing and reading bit by bit")
    func roundTrip() throws {
        var generator = Generator(state: 4)
        for _ in 0..<20_000 {
            let double = Double(bitPattern: generator.next())
            if double.isFinite {
                #expect(try read(JSON.double(double).text).bitPattern == double.bitPattern)
                let array = try JSON(parsing: JSON.numbers([double, 1]).serialized())
                #expect(array.numbersValue?.first?.bitPattern == double.bitPattern)
            }
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            if float.isFinite { #expect(Float(try read(JSON.float(float).text)).bitPattern == float.bitPattern) }
        }
    }

    @Test(
        "extreme numbers are exact",
        arguments: [
            "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "4.9406564584124654e-324", "2.2250738585072011e-308",
            "2.2250738585072014e-308", "1.7976931348623157e308", "1.7976931348623158e308", "18446744073709551615",
            "18446744073709551616",
            "9007199254740993", "9007199254740992.99999999999999999", "0.000000000000000000000000000000000001", "1e22", "1e23",
            "8.5e-23",
            "100000000000000000000000000000000000000000e-40", "0.00000000000000000000000000000000000000001e41", "-0.0", "-0e9",
            "1e-999999999",
        ])
    func extremes(text: String) throws {
        #expect(try read(text).bitPattern == Double(text)?.bitPattern)
    }

    @Test("integers and whole numbers are told apart by how they are written, not by what they mean")
    func kinds() throws {
        guard case .integer(5) = try JSON(parsing: "5"), case .double(5) = try JSON(parsing: "5.0"),
            case .double(500) = try JSON(parsing: "5e2")
        else {
            Issue.record("5 is an integer, 5.0 and 5e2 are doubles")
            return
        }
        #expect(try JSON(parsing: "5") == JSON(parsing: "5.0"))
        #expect(try JSON(parsing: "9007199254740993") != JSON(parsing: "9007199254740992.0"))
    }
}
