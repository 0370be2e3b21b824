import HTTPTypes
import Sockets

extension Connection {
    /// Begins to write the answer to the request in the works, or to one that never became one.
    func answer(_ answer: Response, keepsAlive: Bool) {
        // A slow reader's answer stays in memory until it has taken it.
        var response = hasRoom(for: answer.body.count) ? answer : core.noRoom(exchange?.head.target.raw)
        core.handler.complete(&response, head: exchange?.head, context: exchange?.context)
        let goesOn = keepsAlive && !response.closesConnection && !core.isDraining && !hasReadEnd
        let context = ResponseEncoder.Context(
            method: exchange?.head.method ?? parser.method, version: exchange?.head.version ?? .http11, keepsAlive: goesOn,
            date: core.date.current())
        let (head, body) = ResponseEncoder.encode(response, in: context)
        output.append(hasProbed ? Array(head.dropFirst(ResponseEncoder.commonPrefix.count)) : head)
        output.append(body)
        hold(body.count)
        answering = (response.status, response.fields, body.count)
        hasProbed = false
        closesAfterAnswer = !goesOn
        phase = .writing
        stopWaiting()
    }

    /// Writes one step: an answer, or what goes before it while the request is still read or handled.
    ///
    /// - Returns: Whether to go on.
    func writeOn(_ budget: inout Int) -> Bool {
        if output.isEmpty {
            if phase == .writing { answerIsWritten() }
            return phase != .handling
        }
        guard mayWrite else {
            waitForRoom()
            return false
        }
        guard budget > 0 else {
            yield()
            return false
        }
        do throws(SocketError) {
            let progress = try output.write(to: socket, atMost: budget)
            budget -= progress.written
            core.counters.update { $0.sentBytes += progress.written }
            if progress.isBlocked {
                mayWrite = false
                if progress.written > 0, waiting == .write { stopWaiting() }
                waitForRoom()
                return false
            }
            return true
        } catch {
            breakOff()
            return false
        }
    }

    /// While the handler computes, nothing is due: what waits for room then is a probe, and a client that is still there
    /// will make room for the answer behind it.
    private func waitForRoom() {
        guard phase != .handling, waiting != .write else { return }
        unsentBytes = socket.unacknowledgedBytes
        wait(for: .write)
    }

    private func answerIsWritten() {
        stopWaiting()
        conclude(isComplete: true)
        if closesAfterAnswer || core.isDraining { return linger() }
        // After a refusal, what is left of the request is read and skipped, still under its number.
        if exchange?.isRefused != true { exchange = nil }
        phase = .reading
    }

    /// Has the client probed, a little later, if it has finished sending and waits for an answer; see ``Cancellation``.
    func prepareProbe() {
        if phase == .handling, peerHasFinished, !hasProbed { wait(for: .probe) }
    }

    private func probe() {
        guard phase == .handling else { return }
        hasProbed = true
        output.append(ResponseEncoder.commonPrefix)
        drive()
    }

    // MARK: Time

    /// Sets the timer, unless it is set for this already.
    func wait(for what: Waiting) {
        guard waiting != what else { return }
        waiting = what
        let limits = core.limits
        let delay =
            switch what {
            case .firstOctet, .header: limits.headerTimeout
            case .nextRequest: limits.idleTimeout
            case .body: limits.bodyTimeout
            case .probe: limits.probeDelay
            case .write: limits.writeTimeout
            case .close: limits.lingerTimeout
            }
        timer?.set(after: delay)
    }

    func stopWaiting() {
        waiting = nil
        timer?.cancel()
    }

    func timerFired() {
        guard let what = waiting else { return }
        waiting = nil
        switch what {
        case .firstOctet, .nextRequest, .close:
            close()
        case .header:
            timeOut("The header section took too long.")
        case .body:
            if bodyProgress >= core.limits.bodyProgressBytes {
                bodyProgress = 0
                wait(for: .body)
            } else {
                timeOut("The body took too long.")
            }
        case .probe:
            probe()
        case .write:
            // A client that takes little by little makes room that the kernel does not report yet: it wants to have some
            // megabytes free before it does.
            if socket.unacknowledgedBytes < unsentBytes { return waitForRoom() }
            socket.resetOnClose()
            breakOff()
        }
    }

    /// RFC 9110 §15.5.9.
    private func timeOut(_ detail: String) {
        refuse(ProtocolError(.requestTimeout, detail))
        drive()
    }

    // MARK: The end

    /// Says that nothing more will be written, and waits for the client to have read everything and close.
    func linger() {
        phase = .lingering
        exchange = nil
        pending = []
        if hasReadEnd { return close() }
        do throws(SocketError) { try socket.shutDownWriting() } catch { return close() }
        wait(for: .close)
    }

    func lingerOn(_ budget: inout Int) -> Bool {
        while mayRead {
            guard budget > 0 else {
                yield()
                return false
            }
            do throws(SocketError) {
                switch try socket.receive(into: UnsafeMutableRawBufferPointer(core.scratch)) {
                case .moved(let count): budget -= count
                case .wouldBlock: mayRead = false
                case .ended: close()
                }
            } catch { close() }
            if phase == .closed { return false }
        }
        return false
    }

    /// Ends a connection that broke or must not go on. Whoever computes an answer for it is told.
    func breakOff() {
        if phase == .handling, let exchange {
            exchange.cancellation.cancel()
            core.counters.update { $0.cancellations += 1 }
        }
        close()
    }

    /// Lets go of everything; the descriptor closes with the last reference to this connection.
    func close() {
        guard phase != .closed else { return }
        phase = .closed
        conclude(isComplete: false)
        stopWaiting()
        timer = nil
        if let registration { core.loop.unregister(registration, of: socket.descriptor) }
        registration = nil
        core.remove(self)
    }
}
