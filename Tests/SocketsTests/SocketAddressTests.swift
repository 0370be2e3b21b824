import Testing

@testable import Sockets

@Suite("Socket addresses")
struct SocketAddressTests {
    @Test(
        "An address is written as in a URL",
        arguments: [
            (SocketAddress.ipv4(.loopback, port: 80), "127.0.0.1:80"),
            (.ipv4(.any, port: 0), "0.0.0.0:0"),
            (.ipv6(.loopback, port: 8_080, scope: 0), "[::1]:8080"),
            (.ipv6(.any, port: 1, scope: 0), "[::]:1"),
            (.ipv6(.init(high: 0xFE80_0000_0000_0000, low: 1), port: 1, scope: 2), "[fe80::1%2]:1"),
            (.unix(path: "/tmp/a"), "unix:/tmp/a"),
        ])
    func description(_ address: SocketAddress, _ text: String) {
        #expect(address.description == text)
    }

    @Test(
        "The system's form and back is the same address",
        arguments: [
            SocketAddress.ipv4(.init(0x0102_0304), port: 0xABCD),
            .ipv6(.init(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10), port: 0x1234, scope: 7),
            .unix(path: "/tmp/" + String(repeating: "x", count: 102)),
        ])
    func roundTrip(_ address: SocketAddress) throws {
        let back = try address.withSystemAddress { pointer, length in
            SocketAddress(octets: UnsafeRawBufferPointer(start: pointer, count: Int(length)), length: Int(length))
        }
        #expect(back == address)
    }

    @Test(
        "A path that the system cannot hold is refused",
        arguments: ["", "/a\0b", "/" + String(repeating: "x", count: 107)])
    func badPath(_ path: String) {
        let error = #expect(throws: SocketError.self) {
            try SocketAddress.unix(path: path).withSystemAddress { _, _ in }
        }
        #expect(error?.operation == .address)
    }

    @Test("Octets of another family, or too few of them, are no address")
    func badOctets() {
        let octets: [UInt8] = [255, 255] + Array(repeating: 0, count: 14)
        octets.withUnsafeBytes {
            #expect(SocketAddress(octets: $0, length: 16) == nil)
            #expect(SocketAddress(octets: $0, length: 1) == nil)
            #expect(SocketAddress(octets: $0, length: 17) == nil)
        }
        let shortIPv4: [UInt8] = [2, 0, 0, 80]
        shortIPv4.withUnsafeBytes { #expect(SocketAddress(octets: $0, length: 4) == nil) }
    }

    @Test("Numeric hosts resolve to themselves, with or without brackets")
    func numericHosts() throws {
        #expect(try SocketAddress.resolving(host: "127.0.0.1", port: 80) == [.ipv4(.loopback, port: 80)])
        #expect(try SocketAddress.resolving(host: "0.0.0.0", port: 80) == [.ipv4(.any, port: 80)])
        #expect(try SocketAddress.resolving(host: "::1", port: 80) == [.ipv6(.loopback, port: 80, scope: 0)])
        #expect(try SocketAddress.resolving(host: "[::1]", port: 80) == [.ipv6(.loopback, port: 80, scope: 0)])
    }

    @Test("localhost resolves to loopback addresses, each once and IPv4 first")
    func localhost() throws {
        let found = try SocketAddress.resolving(host: "localhost", port: 1)
        #expect(found.first == .ipv4(.loopback, port: 1))
        #expect(Set(found).count == found.count)
    }

    @Test(
        "A host that is none is refused with the reason",
        arguments: ["", "[]", "127.0.0.1\0.example", String(repeating: "x", count: 300)])
    func badHosts(_ host: String) {
        let error = #expect(throws: SocketError.self) { try SocketAddress.resolving(host: host, port: 1) }
        #expect(error?.operation == .resolve)
    }

    @Test("An error says the operation, the subject and the reason")
    func errorDescription() {
        let error = SocketError(code: .system(98), operation: .bind, context: "127.0.0.1:80")
        #expect(error.description == "bind 127.0.0.1:80: Address already in use (errno 98)")
        #expect(SocketError(code: .invalid("no"), operation: .send).description == "send: no")
    }
}
