import Formats
import Foundation

extension FuzzProperty {
    /// gzip: what it expands to is within the limit, or it is an error, however much of it there would be; and what is put into
    /// it comes out, if the limit allows, and otherwise nothing does.
    public static let gzip = FuzzProperty("gzip") { input throws(Violation) in
        for limit in [1_000, expansionLimit] {
            let expanded = try reading(input, isSame: ==) { data throws(FormatError) in
                try Gzip.decompress(data, limit: limit, file: "a.gz")
            }
            try require(expanded.value.map { $0.count <= limit } ?? true, "over \(limit) bytes came out")
        }
        let read = try reading(input, isSame: Tensor.areSame) { data throws(FormatError) in
            try TensorFile.decode(data, file: "a.csv.gz", limit: expansionLimit)
        }
        try read.value?.requireConsistent()

        let data = Data(input)
        let twice = Wrapping.gzip(data) + Wrapping.gzip(data)
        let all = try? Gzip.decompress(twice, limit: 2 * data.count, file: "a.gz")
        try require(all == data + data, "two members came to \(all?.count ?? -1) bytes instead of twice \(data.count)")
        guard !data.isEmpty else { return }
        let less = try? Gzip.decompress(twice, limit: 2 * data.count - 1, file: "a.gz")
        try require(less == nil, "one byte over the limit was let through")
        let cut = try? Gzip.decompress(twice.dropLast(), limit: 2 * data.count, file: "a.gz")
        try require(cut == nil, "a file without its last byte was let through")
    }
}
