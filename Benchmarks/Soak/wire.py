"""HTTP/1.1 as a client that may also misbehave: whole answers checked, everything else left to the caller."""
import asyncio
import contextlib
import socket
import struct

PATIENCE = 30


class Answer:
    """One answer: its status, its fields by lower-case name, and its content."""

    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def __str__(self):
        return f"{self.status} {self.body[:200]!r}"


class Broken(Exception):
    """What came back is no answer, or none came in time."""


class Connection:
    """A connection whose bytes are the caller's."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, data):
        self.writer.write(data)

    async def answer(self, method="GET"):
        """The next final answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    answer = await self._answer(method)
                    if answer.status >= 200:
                        return answer
        except asyncio.IncompleteReadError as error:
            raise Broken(f"the connection ended in an answer, after {error.partial[:80]!r}") from None
        except TimeoutError:
            raise Broken(f"no answer in {PATIENCE} s") from None

    async def _answer(self, method):
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[:-2]
        version, _, rest = lines[0].partition(" ")
        if version != "HTTP/1.1" or not rest[:3].isdigit():
            raise Broken(f"not a status line: {lines[0]!r}")
        status = int(rest[:3])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        hasContent = method != "HEAD" and status >= 200 and status not in (204, 304)
        if hasContent and not fields.get("content-length", "").isdigit():
            raise Broken(f"no Content-Length: {lines}")
        return Answer(status, fields, await self.reader.readexactly(int(fields["content-length"])) if hasContent else b"")

    async def end(self):
        """Waits for the server to close; whatever it says before is too much."""
        try:
            async with asyncio.timeout(PATIENCE):
                rest = await self.reader.read(200)
        except ConnectionError:
            return
        except TimeoutError:
            raise Broken(f"not closed in {PATIENCE} s") from None
        if rest:
            raise Broken(f"more than one answer: {rest!r}")

    def finish(self):
        """Sends FIN, and goes on reading."""
        self.writer.write_eof()

    def reset(self):
        """Sends RST instead of FIN, whatever is still on its way."""
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def connect(address, source="127.0.0.1", window=None):
    """A connection from an address of the loopback network; closed at the end. A small `window` makes a slow reader."""
    plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        plain.setblocking(False)
        plain.bind((source, 0))
        if window:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().sock_connect(plain, address)
    except BaseException:
        plain.close()
        raise
    reader, writer = await asyncio.open_connection(sock=plain, limit=window or 1 << 16)
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()


def get(path, address, method="GET", extra=""):
    """A request without content."""
    return f"{method} {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n{extra}\r\n".encode()


def post(path, address, body, extra=""):
    """A request with JSON."""
    return post_head(path, address, f"Content-Length: {len(body)}\r\n{extra}") + body


def post_head(path, address, extra):
    """The header section of a request with JSON."""
    return get(path, address, "POST", "Content-Type: application/json\r\n" + extra)


def chunked(body, size):
    """A body in chunks."""
    pieces = (body[i:i + size] for i in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
