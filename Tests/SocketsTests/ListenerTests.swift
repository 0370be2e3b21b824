import Dispatch
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Sockets

@Suite("Listeners")
struct ListenerTests {
    @Test("Port 0 becomes the port that the system chose, which a second listener cannot have")
    func boundPort() throws {
        let listener = try Listener(address: .ipv4(.loopback, port: 0))
        #expect(listener.address.port ?? 0 > 0)
        let error = #expect(throws: SocketError.self) { try Listener(address: listener.address) }
        #expect(error?.operation == .bind)
        #expect(error?.errorNumber == EADDRINUSE)
        #expect(error?.context == listener.address.description)
    }

    @Test("Accepting gives a non-blocking connection with its peer's address, and then nobody")
    func accepting() throws {
        let listener = try Listener(address: .ipv4(.loopback, port: 0))
        guard case .wouldBlock = try listener.accept() else { return #expect(Bool(false), "nobody has connected") }
        let client = try connected(to: listener.address)
        guard case .connection(let socket, let peer) = try listener.accept() else {
            return #expect(Bool(false), "somebody has connected")
        }
        let (_, local) = SocketAddress.reading { getsockname(client.descriptor.number, $0, $1) }
        #expect(peer == local)
        #expect(fcntl(socket.descriptor.number, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(socket.descriptor.number, F_GETFD) & FD_CLOEXEC != 0)
        #expect(try socket.receive().0 == .wouldBlock)
    }

    @Test("A unix path is removed with its listener, and is in use until then")
    func unixPath() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("socket")
        do {
            let listener = try Listener(address: .unix(path: path))
            #expect(listener.address == .unix(path: path))
            #expect(throws: SocketError.self) { try Listener(address: .unix(path: path)) }
            let client = try connected(to: listener.address)
            guard case .connection(_, let peer) = try listener.accept() else {
                return #expect(Bool(false), "somebody has connected")
            }
            #expect(peer == .unix(path: ""))
            _ = client.descriptor.number
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test("A unix socket whose listener is no more is replaced; a file that is no socket is not")
    func abandonedUnixPath() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("socket")
        // A socket file stays behind where its process was killed: bound, and let go of without the path being removed.
        let abandoned = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(try SocketAddress.unix(path: path).withSystemAddress { bind(abandoned, $0, $1) } == 0)
        close(abandoned)
        let listener = try Listener(address: .unix(path: path), mode: 0o600)
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        _ = try connected(to: listener.address)

        let file = directory.path("file")
        close(open(file, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: SocketError.self) { try Listener(address: .unix(path: file)) }
        #expect(access(file, F_OK) == 0)
    }

    @Test("An acceptor hands over every connection, holds back while paused, and takes the rest when it stops")
    func acceptor() throws {
        let listener = try Listener(address: .ipv4(.loopback, port: 0))
        let loop = try EventLoop()
        try loop.start()
        let taken = Mutex(0)
        let step = DispatchSemaphore(value: 0)
        let box = Mutex<LoopBound<Acceptor>?>(nil)
        loop.execute {
            let acceptor = Acceptor(listener: listener, loop: loop) { _, _ in
                if taken.withLock({ count in
                    count += 1; return count == 3
                }) {
                    step.signal()
                }
            } report: { _ in
            }
            _ = try? acceptor.start()
            box.withLock { $0 = LoopBound(acceptor, to: loop) }
            step.signal()
        }
        step.wait()
        let acceptor = try #require(box.withLock { $0 })
        let first = try connected(to: listener.address)
        let second = try connected(to: listener.address)
        let third = try connected(to: listener.address)
        step.wait()
        loop.execute {
            acceptor().pause(); step.signal()
        }
        step.wait()
        let held = try connected(to: listener.address)
        loop.execute { loop.makeTimer { step.signal() }.set(after: .milliseconds(20)) }
        step.wait()
        #expect(taken.withLock { $0 } == 3)
        loop.execute {
            acceptor().resume(); acceptor().stop(takingAtMost: 10); step.signal()
        }
        step.wait()
        #expect(taken.withLock { $0 } == 4)
        _ = (first.descriptor.number, second.descriptor.number, third.descriptor.number, held.descriptor.number)
        loop.stop()
        loop.join()
    }

    @Test("An acceptor without descriptors pauses, reports it, and goes on when there are some again")
    func exhaustion() async {
        // In a process of its own: the limit is the process's.
        await #expect(processExitsWith: .success) {
            let listener = try Listener(address: .ipv4(.loopback, port: 0))
            let loop = try EventLoop()
            try loop.start()
            let client = try connected(to: listener.address)
            let highest = dup(client.descriptor.number)
            close(highest)
            var limit = rlimit(rlim_cur: rlim_t(highest), rlim_max: 4_096)
            guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(1) }
            // What other threads of the process have closed since leaves holes, in which the connection would find room.
            while dup(client.descriptor.number) >= 0 {}
            let reported = DispatchSemaphore(value: 0)
            let accepted = DispatchSemaphore(value: 0)
            loop.execute {
                let acceptor = Acceptor(listener: listener, loop: loop) { _, _ in
                    accepted.signal()
                } report: { error in
                    if error.isExhaustion { reported.signal() }
                }
                _ = try? acceptor.start()
            }
            guard reported.wait(timeout: .now() + 30) == .success else { exit(3) }
            try OpenFileLimit.raise()
            guard accepted.wait(timeout: .now() + 30) == .success else { exit(4) }
            guard try OpenFileLimit.current() == 4_096 else { exit(2) }
            loop.stop()
            loop.join()
            _ = client.descriptor.number
        }
    }
}
