"""The server under test: started on a demo store of its own, watched through /proc, asked for its health, and ended."""
import asyncio
import collections
import multiprocessing
import os
import pathlib
import signal
import socket
import subprocess
import time

SETTINGS = {
    # Short enough that slow clients meet them often.
    "INFLUENCED_SERVER_HEADER_TIMEOUT_MS": "3000",
    "INFLUENCED_SERVER_BODY_TIMEOUT_MS": "3000",
    "INFLUENCED_SERVER_IDLE_TIMEOUT_MS": "5000",
    # A herd finds the queue full now and then.
    "INFLUENCED_COMPUTE_QUEUE_LENGTH": "16",
}

Sample = collections.namedtuple("Sample", "kib descriptors threads")
Sample.__str__ = lambda self: f"RSS {self.kib / 1024:.1f} MiB, {self.descriptors} descriptors, {self.threads} threads"


class Server:
    """`influenced serve` as a process."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.log = self.folder / "log"

    def __enter__(self):
        store = str(self.folder / "digits.sqlite")
        subprocess.run([self.program, "demo", "--store", store], check=True, capture_output=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--store", store, "--port", "0"], stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, **SETTINGS})
        line = self.process.stdout.readline().decode().strip()
        if not line.startswith("listening on http://"):
            self.__exit__()
            raise SystemExit(f"the server does not start: {line} {self.log.read_text()}")
        host, _, port = line.removeprefix("listening on http://").rpartition(":")
        self.address = (host, int(port))
        return self

    def __exit__(self, *_):
        if self.is_alive:
            self.process.kill()
        self.process.wait()

    @property
    def is_alive(self):
        return self.process.poll() is None

    def sample(self):
        """What /proc says of it now."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines if ":" in line)
        return Sample(int(status["VmRSS"].split()[0]), len(self.open_files()), int(status["Threads"]))

    def open_files(self):
        """Its descriptors, by what they are."""
        folder, files = f"/proc/{self.process.pid}/fd", []
        for name in os.listdir(folder):
            try:
                files.append(os.readlink(f"{folder}/{name}"))
            except FileNotFoundError:
                pass
        return files

    async def files_left(self, wanted):
        """What is open as soon as that are no more than `wanted`; after 15 s whatever it is."""
        for _ in range(30):
            if len(files := self.open_files()) <= wanted:
                break
            await asyncio.sleep(0.5)
        return files

    def terminate(self):
        """Its exit status after SIGTERM; None if it won't end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            return None

    def errors(self):
        """What it logged as an error, and what the runtime says of a crash."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if any(word in line for word in (" error ", " critical ", "Fatal error", "crashed"))]


class HealthProbe:
    """Asks for the health twenty times a second, from a process of its own: the delay of other clients is not the server's.

    In turn on a connection that is kept and on a new one. `/metrics` is asked too where there is one.
    """

    def __init__(self, address, warm_up):
        self.address, self.warm_up = address, warm_up

    def __enter__(self):
        context = multiprocessing.get_context("fork")
        self.results, theirs = context.Pipe()
        self.process = context.Process(target=self.run, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()

    def stop(self, tally):
        """The delays in milliseconds after the warm-up; what went wrong goes to the tally."""
        self.results.send("stop")
        delays, wrong = self.results.recv()
        for text in wrong:
            tally.wrong("health", text)
        tally.count("health", "right", len(delays))
        return delays

    def run(self, pipe):
        paths, delays, wrong, kept = ["/health/live", "/health/ready", "/metrics"], [], [], None
        start, turn = time.monotonic(), 0
        while not pipe.poll(0.05):
            path, turn = paths[turn % len(paths)], turn + 1
            before = time.monotonic()
            try:
                if kept is None or turn % 2:
                    one = socket.create_connection(self.address, timeout=10)
                else:
                    one = kept
                one.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.address[0]}\r\n\r\n".encode())
                status = self.read_answer(one)
                if status == 404 and path == "/metrics":
                    paths.remove(path)
                elif status != 200:
                    wrong.append(f"{path}: {status}")
                elif before - start >= self.warm_up:
                    delays.append((time.monotonic() - before) * 1e3)
                if one is not kept:
                    if kept is not None:
                        kept.close()
                    kept = one
            except (OSError, ValueError) as error:
                wrong.append(f"{path}: {error!r}")
                kept = None
        pipe.send((delays, wrong))

    @staticmethod
    def read_answer(one):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = one.recv(65_536)
            if not piece:
                raise ValueError(f"the connection ended after {data!r}")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            piece = one.recv(65_536)
            if not piece:
                raise ValueError("the connection ended in an answer")
            body += piece
        return int(head[9:12])
