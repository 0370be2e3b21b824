import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Sockets

@Suite("Stream sockets")
struct StreamSocketTests {
    @Test("A read says whether there is data, none yet, or no more")
    func receiving() throws {
        let pair = try SocketPair()
        #expect(try pair.near.receive().0 == .wouldBlock)
        #expect(try pair.far.send(text: "hello") == .moved(5))
        #expect(try pair.near.receive(atMost: 2) == (.moved(2), "he"))
        #expect(try pair.near.receive() == (.moved(3), "llo"))
        try pair.far.shutDownWriting()
        #expect(try pair.near.receive().0 == .ended)
        #expect(try pair.near.send(text: "still") == .moved(5))
    }

    @Test("A write to a peer that is gone is an error, and no signal")
    func brokenPipe() throws {
        let near = try SocketPair().closingFar()
        let error = #expect(throws: SocketError.self) { try near.send(text: "x") }
        #expect(error?.errorNumber == EPIPE)
        #expect(error?.isDisconnection == true)
    }

    @Test("A write stops when the kernel takes no more")
    func blockedWrite() throws {
        let pair = try SocketPair()
        let block = [UInt8](repeating: 1, count: 65_536)
        var outcome = StreamSocket.Transfer.moved(0)
        for _ in 0..<1_000 where outcome != .wouldBlock { outcome = try block.withUnsafeBytes { try pair.near.send($0) } }
        #expect(outcome == .wouldBlock)
        let waiting = pair.near.unacknowledgedBytes
        #expect(waiting > 0)
        for _ in 0..<100 { _ = try pair.far.receive(atMost: 4_096) }
        #expect(pair.near.unacknowledgedBytes < waiting)
    }

    @Test("A descriptor closes when its owner goes, and not before")
    func ownership() throws {
        var number: Int32 = -1
        do {
            let pair = try SocketPair()
            number = pair.near.descriptor.number
            #expect(fcntl(number, F_GETFD) >= 0)
            _ = try pair.far.send(text: "x")
        }
        // Another test may be given the same number at once, so the peer is asked: it has been closed.
        let pair = try SocketPair()
        let near = pair.closingFar()
        #expect(try near.receive().0 == .ended)
    }

    @Test("The last data and the hang-up come as one event")
    func dataWithHangUp() throws {
        final class Listener: ReadinessHandler {
            let socket: StreamSocket
            let report: (Readiness, String, StreamSocket.Transfer) -> Void
            init(_ socket: consuming StreamSocket, report: @escaping (Readiness, String, StreamSocket.Transfer) -> Void) {
                self.socket = socket
                self.report = report
            }
            func ready(_ readiness: Readiness) {
                guard let first = try? socket.receive(), let second = try? socket.receive() else { return }
                report(readiness, first.1, second.0)
            }
        }
        let pair = try SocketPair()
        _ = try pair.far.send(text: "last words")
        let near = pair.closingFar()
        let number = dup(near.descriptor.number)
        let loop = try EventLoop()
        try loop.start()
        let seen = Mutex<(Readiness, String, StreamSocket.Transfer)?>(nil)
        let done = DispatchSemaphore(value: 0)
        loop.execute {
            let listener = Listener(StreamSocket(owning: FileDescriptor(owning: number))) { readiness, text, transfer in
                seen.withLock { $0 = (readiness, text, transfer) }
                done.signal()
            }
            _ = try? loop.register(listener.socket.descriptor, for: .changes, handler: listener)
        }
        done.wait()
        let (readiness, text, transfer) = try #require(seen.withLock { $0 })
        #expect(readiness.isSuperset(of: [.readable, .peerFinished]))
        #expect(text == "last words")
        #expect(transfer == .ended)
        loop.stop()
        loop.join()
    }
}
