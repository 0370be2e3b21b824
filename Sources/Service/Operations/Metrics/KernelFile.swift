internal import Glibc

/// Files and folders that the kernel makes up as they are read.
enum KernelFile {
    /// The first 64 KiB of a file, which has the parts asked for here, or nil where it can't be read.
    static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: 64 << 10)
        var count = 0
        while count < octets.count {
            let more = octets.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { return nil }
            if more == 0 { break }
            count += more
        }
        return String(decoding: octets[..<count], as: UTF8.self)
    }

    /// The number of entries of a folder without "." and "..", or nil where it can't be read.
    ///
    /// Since Linux 6.2 the size of /proc/self/fd is that number (proc(5)), which needs no descriptor and no walk over thousands.
    static func entries(of path: String) -> Int? {
        var status = stat()
        if stat(path, &status) == 0, status.st_size > 0 { return Int(status.st_size) }
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        // Not counted: the two dots, and the descriptor that the walk itself has open.
        var count = -3
        while readdir(directory) != nil { count += 1 }
        return max(0, count)
    }
}
