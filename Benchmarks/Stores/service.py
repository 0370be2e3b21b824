"""The program as its users have it: commands that run, and a server that is asked."""
import http.client
import json
import os
import subprocess
import time


class Program:
    """`influenced`."""

    def __init__(self, path):
        self.path = str(path)

    def run(self, command, *arguments, **options):
        """Runs a command to its end, with options as keywords, and returns its milliseconds."""
        words = [self.path, *command.split(), *map(str, arguments)]
        for name, value in options.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        begin = time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True)
        elapsed = (time.perf_counter() - begin) * 1e3
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stderr}")
        self.said = done.stdout
        return elapsed

    def cache(self, store, **options):
        """Builds a cache; returns its milliseconds and what `relative_error` it says it has."""
        milliseconds = self.run("cache", store=store, **options)
        return milliseconds, self.said.partition("relative score error ")[2].split(",")[0]


class Server:
    """`influenced serve` as a process, from its exec to its end."""

    def __init__(self, program, store, **settings):
        settings = {"server_drain_delay_ms": 0, **settings}
        environment = {f"INFLUENCED_{name.upper()}": str(value) for name, value in settings.items()}
        self.begin = time.perf_counter()
        self.process = subprocess.Popen(
            [program.path, "serve", "--store", str(store), "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **environment})
        line = self.process.stdout.readline().decode().strip()
        host, _, port = line.removeprefix("listening on http://").rpartition(":")
        if not port:
            self.__exit__()
            raise SystemExit(f"the server does not start: {line}")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=300)
        while self.request("GET", "/health/ready")[0] != 200:
            time.sleep(0.001)
        self.ready_milliseconds = (time.perf_counter() - self.begin) * 1e3

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Told to end, it leaves the store without a journal beside it.
        self.process.terminate()
        self.process.wait()

    def request(self, method, path, body=None):
        self.connection.request(
            method, path, None if body is None else json.dumps(body), {"content-type": "application/json"} if body else {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def ask(self, tests, **fields):
        """The answer on some tests, and the milliseconds it took."""
        question = {"model": "large", "tests": [{"dataset": "large-test", "index": index} for index in tests], **fields}
        begin = time.perf_counter()
        status, body = self.request("POST", "/influence", question)
        elapsed = (time.perf_counter() - begin) * 1e3
        if status != 200:
            raise SystemExit(f"POST /influence: {status} {body.decode()}")
        return json.loads(body), elapsed
