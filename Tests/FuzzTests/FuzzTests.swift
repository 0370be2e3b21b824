import Foundation
import FuzzProperties
import Testing

@Suite("Inputs that fuzzing begins with, and those that it found")
struct FuzzTests {
    @Test("A property holds for each of its seeds", arguments: FuzzFile.all(in: "Corpus"))
    func seed(_ file: FuzzFile) throws {
        try file.property.check(Array(Data(contentsOf: file.url)))
    }

    @Test("A property holds for each input for which it once did not", arguments: FuzzFile.all(in: "Regressions"))
    func regression(_ file: FuzzFile) throws {
        try file.property.check(Array(Data(contentsOf: file.url)))
    }

    @Test("A property holds for each seed with its end missing", arguments: FuzzFile.all(in: "Corpus"))
    func prefixes(_ file: FuzzFile) throws {
        let input = try Array(Data(contentsOf: file.url))
        for count in stride(from: 0, to: input.count, by: max(1, input.count / 40)) {
            try file.property.check(Array(input.prefix(count)))
        }
    }

    @Test("Every folder of inputs, and every dictionary, is for a property, and every property has some")
    func folders() {
        let names = FuzzFile.properties.map(\.name).sorted()
        #expect(FuzzFile.names(in: "Corpus") == names)
        #expect(FuzzFile.names(in: "Dictionaries") == names.map { "\($0).dict" })
        #expect(Set(FuzzFile.names(in: "Regressions")).isSubset(of: names))
    }
}
