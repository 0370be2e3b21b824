import HTTPTypes
import Sockets

extension Connection {
    /// Reads and parses one step.
    ///
    /// - Returns: Whether to go on.
    func readOn(_ budget: inout Int) -> Bool {
        do throws(ProtocolError) {
            if let event = try parsePending() {
                take(event)
                return true
            }
            // A body may have begun to come together with its head.
            if exchange != nil {
                holdBody()
                if phase != .reading { return true }
            }
            // An interim answer may be waiting for room.
            if !output.isEmpty, !writeOn(&budget) { return false }
            return try receive(&budget)
        } catch {
            refuse(error)
            return true
        }
    }

    /// Parses what was read earlier. With nothing read earlier it still asks: a request without a body ends with its head.
    private func parsePending() throws(ProtocolError) -> RequestParser.Event? {
        let input = pending
        let step = try parser.parse(input.span.extracting(pendingOffset..<input.count))
        pendingOffset += step.consumed
        if pendingOffset == pending.count, !pending.isEmpty {
            pending = []
            pendingOffset = 0
        }
        return step.event
    }

    private func receive(_ budget: inout Int) throws(ProtocolError) -> Bool {
        guard mayRead else {
            waitForInput()
            return false
        }
        guard budget > 0 else {
            waitForInput()
            yield()
            return false
        }
        let transfer: StreamSocket.Transfer
        do throws(SocketError) {
            transfer = try socket.receive(into: UnsafeMutableRawBufferPointer(core.scratch))
        } catch {
            breakOff()
            return false
        }
        switch transfer {
        case .wouldBlock:
            mayRead = false
            waitForInput()
            return false
        case .ended:
            hasReadEnd = true
            inputEnded()
            return true
        case .moved(let count):
            // Less than there was room for: that was all (epoll(7)), and asking again would cost a system call only to hear so. What
            // comes later, the end included, is told of anew.
            if count < core.scratch.count, !peerHasFinished { mayRead = false }
            budget -= count
            bodyProgress += count
            core.counters.update { $0.receivedBytes += count }
            let step = try parser.parse(UnsafeBufferPointer(rebasing: core.scratch[..<count]).span)
            if step.consumed < count { pending = Array(core.scratch[step.consumed..<count]) }
            if let event = step.event { take(event) } else { holdBody() }
            return true
        }
    }

    /// Counts the octets of a body that is being received, and refuses it once there is no room for more.
    private func holdBody() {
        guard let exchange, !exchange.isRefused else { return }
        guard hasRoom(for: parser.bufferedBytes) else {
            return refuse(core.noRoom(exchange.head.target.raw), keepsAlive: false)
        }
        hold(parser.bufferedBytes)
    }

    private func take(_ event: RequestParser.Event) {
        switch event {
        case .head(let head):
            hasHadRequest = true
            exchange = Exchange(head: head, context: core.handler.begin(head))
            bodyProgress = 0
            consider(head)
        case .end(let body, let trailers):
            guard let ended = exchange else { return }
            if ended.isRefused { exchange = nil } else { dispatch(ended, body, trailers) }
        }
    }

    /// Decides by its head whether a request may go on.
    private func consider(_ head: RequestHead) {
        // RFC 9110 §9.1 and §10.1.1, see `RequestHead.refusal`.
        if let error = head.refusal {
            refuse(core.problem(error.status, error.detail, head.target.raw))
        } else if let response = core.handler.admit(head, exchange?.context) {
            refuse(response)
        } else if head.lacksLength {
            // RFC 9110 §15.5.12.
            refuse(core.problem(.lengthRequired, "A \(head.method) needs a Content-Length.", head.target.raw))
        } else if case .length(let count) = head.framing, !hasRoom(for: count) {
            refuse(core.noRoom(head.target.raw))
        } else if head.expectation == .continue, head.hasBody, pending.isEmpty {
            // RFC 9110 §10.1.1: may be left out once some of the body has come.
            output.append(ResponseEncoder.interimContinue)
        }
    }

    private func dispatch(_ exchange: Exchange, _ body: [UInt8], _ trailers: HTTPFields) {
        // One that did not say how long it is, and came at once, has been asked for nothing so far.
        guard hasRoom(for: body.count) else {
            return answer(core.noRoom(exchange.head.target.raw), keepsAlive: exchange.head.keepsAlive)
        }
        phase = .handling
        stopWaiting()
        hold(body.count)
        self.exchange?.bodyBytes = body.count
        core.counters.update {
            $0.requests += 1
            $0.requestsInFlight += 1
        }
        let reply = Reply(
            loop: core.loop, core: LoopBound(core, to: core.loop), problem: core.problem, connection: id,
            target: exchange.head.target.raw)
        let request = Request(
            head: exchange.head, body: body, trailers: trailers, cancellation: exchange.cancellation, context: exchange.context)
        core.handler.handle(request) { response in reply { response } }
        prepareProbe()
    }

    /// Refuses the request in the works by its head. The connection goes on if what is left of the request can be skipped.
    private func refuse(_ response: Response, keepsAlive: Bool = true) {
        guard let exchange else { return }
        self.exchange?.isRefused = true
        parser.skipBody(atMost: core.limits.discardedBodyBytes)
        if response.status.code >= 400 { core.counters.update { $0.refusals += 1 } }
        answer(
            response, keepsAlive: keepsAlive && exchange.head.keepsAlive && exchange.canSkipBody(limits: core.limits))
    }

    /// Refuses a request that cannot be parsed. What follows it cannot be trusted, so the connection closes after the
    /// answer (RFC 9112 §9.6); a second request behind it is never read.
    func refuse(_ error: ProtocolError) {
        pending = []
        pendingOffset = 0
        // The body of a request that has had its answer was to be skipped, and is not what it should be.
        if exchange?.isRefused == true { return linger() }
        core.counters.update { $0.refusals += 1 }
        answer(core.problem(error.status, error.detail, parser.target), keepsAlive: false)
    }

    private func inputEnded() {
        guard parser.isInsideRequest, exchange?.isRefused != true else { return close() }
        // RFC 9112 §8: a request that is not complete is not processed; an error may be sent.
        refuse(ProtocolError(.badRequest, "The connection ended before the request was complete."))
    }

    private func waitForInput() {
        if exchange != nil {
            if waiting != .body { bodyProgress = 0 }
            wait(for: .body)
        } else if parser.isInsideRequest {
            wait(for: .header)
        } else {
            wait(for: hasHadRequest ? .nextRequest : .firstOctet)
        }
    }
}
