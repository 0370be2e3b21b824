import Dispatch
import Synchronization
import Testing

@testable import Service

@Suite("Clients")
struct ClientTests {
    @Test("an address is the client whatever its port")
    func ports() {
        #expect(Client(key: nil, peer: "192.0.2.1:50000") == .ipv4(0xC000_0201))
        #expect(Client(key: nil, peer: "192.0.2.1:50001") == Client(key: nil, peer: "192.0.2.1:50000"))
        #expect(Client(key: nil, peer: "192.0.2.2:50000") != Client(key: nil, peer: "192.0.2.1:50000"))
    }

    @Test("IPv6 addresses of one /64 are one client")
    func networks() {
        #expect(Client(key: nil, peer: "[2001:db8:1:2::1]:443") == .ipv6Network(0x2001_0db8_0001_0002))
        #expect(Client(key: nil, peer: "[2001:db8:1:2:ffff:ffff:ffff:ffff]:80") == .ipv6Network(0x2001_0db8_0001_0002))
        #expect(Client(key: nil, peer: "[2001:db8:1:3::1]:443") == .ipv6Network(0x2001_0db8_0001_0003))
        #expect(Client(key: nil, peer: "[fe80::1%2]:443") == .ipv6Network(0xfe80_0000_0000_0000))
        #expect(Client(key: nil, peer: "[::1]:443") == .ipv6Network(0))
    }

    @Test("an IPv4 address within an IPv6 one is itself")
    func mapped() { #expect(Client(key: nil, peer: "[::ffff:192.0.2.1]:443") == .ipv4(0xC000_0201)) }

    @Test("a key goes before the address")
    func keys() {
        #expect(Client(key: "ci", peer: "192.0.2.1:50000") == .key("ci"))
        #expect(Client(key: "ci", peer: "192.0.2.9:50000") == .key("ci"))
    }

    @Test(
        "peers without an address are one client",
        arguments: [
            "", "unix:", "unix:/run/a.sock", "unix:/run/a:1", "nonsense", "1.2.3:4", "[::1:80", "2001:db8::1:80", "[]:80",
        ])
    func local(peer: String) { #expect(Client(key: nil, peer: peer) == .local) }
}

@Suite("Limits per client")
struct ClientLimitTests {
    @Test("a client gets as many places as it may have, and one back with each that it gives up")
    func places() {
        let limit = ClientLimit(maximum: 2)
        var held = [limit.admit(.ipv4(1)), limit.admit(.ipv4(1))]
        #expect(held.allSatisfy { $0 != nil })
        #expect(limit.admit(.ipv4(1)) == nil && limit.admit(.ipv4(1)) == nil)
        let other = limit.admit(.key("other"))
        #expect(other != nil && limit.clients == 2)
        held.removeLast()
        held.append(limit.admit(.ipv4(1)))
        #expect(held.allSatisfy { $0 != nil } && limit.admit(.ipv4(1)) == nil)
        held.removeAll()
        #expect(limit.clients == 1)
        withExtendedLifetime(other) {}
    }

    @Test("clients without requests in progress are forgotten")
    func memory() {
        let limit = ClientLimit(maximum: 1)
        var held: [ClientLimit.Permit?] = (0..<5_000).map { limit.admit(.ipv4($0)) }
        #expect(limit.clients == 5_000 && held.allSatisfy { $0 != nil })
        held.removeAll()
        #expect(limit.clients == 0)
        #expect(limit.admit(.ipv4(1)) != nil)
    }

    @Test("no limit admits everything, and counts nothing", arguments: [0, -1])
    func unlimited(maximum: Int) {
        let limit = ClientLimit(maximum: maximum)
        let held = (0..<1_000).map { _ in limit.admit(.local) }
        #expect(held.allSatisfy { $0 != nil } && limit.clients == 0)
    }

    @Test("on many threads there are never more than there may be, and none is lost")
    func threads() {
        let limit = ClientLimit(maximum: 3)
        let inside = Atomic(0)
        let most = Atomic(0)
        let admitted = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<5_000 {
                guard let permit = limit.admit(.key("a")) else { continue }
                let now = inside.add(1, ordering: .sequentiallyConsistent).newValue
                most.max(now, ordering: .sequentiallyConsistent)
                admitted.add(1, ordering: .relaxed)
                inside.subtract(1, ordering: .sequentiallyConsistent)
                withExtendedLifetime(permit) {}
            }
        }
        #expect(most.load(ordering: .relaxed) <= 3 && admitted.load(ordering: .relaxed) > 0)
        #expect(limit.clients == 0)
    }
}
