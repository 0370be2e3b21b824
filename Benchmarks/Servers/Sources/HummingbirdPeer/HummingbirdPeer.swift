import Foundation
import Hummingbird
import Logging

/// `GET /health/live` as hummingbird serves it: its router and its default group of event loops, one for each processor.
@main
struct HummingbirdPeer {
    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            FileHandle.standardError.write(Data("usage: hummingbird-peer PORT\n".utf8))
            exit(2)
        }
        let body = ByteBuffer(string: #"{"status":"live"}"#)
        let router = Router()
        router.get("health/live") { _, _ in
            Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
        }
        var logger = Logger(label: "hummingbird-peer")
        logger.logLevel = .error
        // The default backlog of 256 would have a thousand clients that come at once try again; ours listens with 1,024.
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port), backlog: 1_024),
            logger: logger)
        try await application.runService()
    }
}
