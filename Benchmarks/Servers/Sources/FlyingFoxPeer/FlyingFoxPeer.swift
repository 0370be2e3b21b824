import FlyingFox
import FlyingSocks
import Foundation

/// `GET /health/live` as FlyingFox serves it: its default epoll pool, its route, its actor; no log.
@main
struct FlyingFoxPeer {
    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = UInt16(CommandLine.arguments[1]) else {
            FileHandle.standardError.write(Data("usage: flyingfox-peer PORT\n".utf8))
            exit(2)
        }
        let body = Data(#"{"status":"live"}"#.utf8)
        // Its default logger prints a line for every request.
        let server = HTTPServer(address: try .inet(ip4: "127.0.0.1", port: port), logger: .disabled)
        await server.appendRoute("GET /health/live") { _ in
            HTTPResponse(statusCode: .ok, headers: [.contentType: "application/json"], body: body)
        }
        try await server.run()
    }
}
