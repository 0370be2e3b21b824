internal import Foundation
internal import Glibc

extension APIKeys {
    /// The most octets that a file of keys may have.
    static let maximumFileSize = 1 << 20

    /// Reads the keys of a file, and tells where others than its owner may read or change it too.
    ///
    /// - Returns: The keys, and a warning to be logged, or nil.
    /// - Throws: Where the file can't be read, is not UTF-8 or larger than 1 MiB, and as ``init(_:from:)`` does.
    static func read(file path: String) throws(APIKeysError) -> (keys: APIKeys, warning: String?) {
        func failure(_ detail: String) -> APIKeysError { APIKeysError(place: nil, detail: "the file \(path) \(detail)") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be opened: \(Self.lastError())") }
        defer { close(descriptor) }
        // The mode of what was opened: the path may be a link, as that of a mounted secret is.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot be looked at: \(Self.lastError())") }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot be read: \(Self.lastError())") }
            if count == 0 { break }
            octets += buffer[..<count]
            guard octets.count <= maximumFileSize else { throw failure("has more than \(maximumFileSize) bytes") }
        }
        guard let text = String(validating: octets, as: UTF8.self) else { throw failure("is not UTF-8") }
        let keys = try APIKeys(text, from: .file)
        // Its group may read it: that is how secrets are mounted for a process that is not root.
        let others = status.st_mode & 0o027
        guard status.st_mode & S_IFMT == S_IFREG, others != 0 else { return (keys, nil) }
        let mode = String(status.st_mode & 0o777, radix: 8)
        return (keys, "the file of API keys \(path) is open to others (mode \(mode)); chmod 640 it, or 600")
    }

    private static func lastError() -> String { String(cString: strerror(errno)) }
}
