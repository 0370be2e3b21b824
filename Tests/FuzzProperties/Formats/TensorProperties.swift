import Formats
import Foundation

extension FuzzProperty {
    /// The most bytes that compressed data may expand to in the properties.
    static let expansionLimit = 1 << 20

    /// A .npy file: it is an array whose bytes are as many as its shape takes, and the same again if it is written and read, and
    /// if it comes in an archive or gzipped; or an error.
    public static let npy = FuzzProperty("npy") { input throws(Violation) in
        let read = try reading(input, isSame: Tensor.areSame) { data throws(FormatError) in
            try NumpyFile.decode(data, file: "a.npy")
        }
        try requireSameInside(Wrapping.zip(Data(input), name: "a.npy"), as: read) { data throws(FormatError) in
            try NumpyArchive(data, file: "a.npz").tensor(named: "a", limit: expansionLimit)
        }
        guard let tensor = read.value else { return }
        try tensor.requireConsistent()
        try requireSameInside(Wrapping.gzip(Data(input)), as: read) { data throws(FormatError) in
            try TensorFile.decode(data, file: "a.gz", limit: expansionLimit)
        }
        try requireSameInside(NumpyFile.encode(tensor), as: read) { data throws(FormatError) in
            try NumpyFile.decode(data, file: "a.npy")
        }
    }

    /// A .npz file: every array that its directory names can be read or is at fault by itself, whatever the archive claims about
    /// sizes; names are told apart.
    public static let npz = FuzzProperty("npz") { input throws(Violation) in
        let read = try reading(input, isSame: { $0.names == $1.names }) { data throws(FormatError) in
            try NumpyArchive(data, file: "a.npz")
        }
        guard let archive = read.value else { return }
        try require(Set(archive.names).count == archive.names.count, "two arrays have one name: \(archive.names)")
        for name in archive.names.prefix(8) {
            let read = try reading(input, isSame: Tensor.areSame) { data throws(FormatError) in
                try NumpyArchive(data, file: "a.npz").tensor(named: name, limit: expansionLimit)
            }
            guard let tensor = read.value else { continue }
            try tensor.requireConsistent()
            try require(tensor.bytes.count <= expansionLimit, "\(tensor.bytes.count) bytes are over the limit")
        }
    }

    /// An idx file: it is an array whose bytes are as many as its shape takes, or an error; found out by its first bytes.
    public static let idx = FuzzProperty("idx") { input throws(Violation) in
        let read = try reading(input, isSame: Tensor.areSame) { data throws(FormatError) in
            try IDXFile.decode(data, file: "a")
        }
        guard let tensor = read.value else { return }
        try tensor.requireConsistent()
        try requireSameInside(Wrapping.gzip(Data(input)), as: read) { data throws(FormatError) in
            try TensorFile.decode(data, file: "a.gz", limit: expansionLimit)
        }
    }

    /// The first array was read of other bytes: it must be the one read of `data`, or no more be one than that.
    private static func requireSameInside(
        _ data: Data, as read: Reading<Tensor>, _ decode: (Data) throws(FormatError) -> Tensor
    ) throws(Violation) {
        let inside = try reading(Array(data), isSame: Tensor.areSame, decode)
        switch (read, inside) {
        case (.success(let one), .success(let other)) where Tensor.areSame(one, other): break
        case (.failure, .failure): break
        default: throw Violation("\(read) became \(inside)")
        }
    }
}
