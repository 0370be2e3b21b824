"""What is asked: questions with an answer that never changes, and requests that must be refused."""
import base64
import json
import random
import struct

import wire

CATALOGUE = ["/models", "/models/digits", "/datasets", "/datasets/digits-train", "/datasets/digits-test/examples/26"]


class Question:
    """A request for `results`, and the bytes that they must be."""

    def __init__(self, body, path="/influence"):
        self.path, self.body, self.results, self.size = path, json.dumps(body).encode(), None, 0

    def encoded(self, address, extra=""):
        return wire.post(self.path, address, self.body, extra)

    def record(self, answer):
        """Takes an answer for the true one."""
        if answer.status != 200:
            raise SystemExit(f"{self.path} {self.body[:500]}: {answer}")
        text = answer.body.decode()
        start = text.index('"results":') + len('"results":')
        _, end = json.JSONDecoder().raw_decode(text, start)
        self.results, self.size = text[start:end].encode(), len(answer.body)

    def is_answered_by(self, answer):
        """Whether an answer has the very bytes that were recorded."""
        start = answer.body.index(b'"results":') + len(b'"results":') if b'"results":' in answer.body else 0
        end = start + len(self.results)
        return start > 0 and answer.body.startswith(self.results, start) and answer.body[end:end + 1] in (b",", b"}")


def all_questions():
    """About forty, of every kind; the last two have large answers."""
    rng = random.Random(0)

    def ask(tests=None, **more):
        return Question({"model": "digits", "tests": tests or [test(rng.randrange(400))], **more})

    def test(index):
        return {"dataset": "digits-test", "index": index}

    image = [rng.randrange(17) / 16 for _ in range(64)]
    encoded = {"dtype": "float32", "shape": [1, 64], "base64": base64.b64encode(struct.pack("<64f", *image)).decode()}
    rows = [image[i:i + 8] for i in range(0, 64, 8)]
    several = [test(index) for index in range(10, 16)]
    everything = {"tests": [test(index) for index in range(100, 132)], "k": 200, "include": ["all_scores", "s_test"]}
    return (
        [ask([test(31 * n)], k=5) for n in range(12)]
        + [ask([test(26)], k=k) for k in (1, 10, 100)]
        + [ask([test(26)], solver={"name": "lissa", "seed": seed}) for seed in range(1, 5)]
        + [ask(solver={"name": "exact"}) for _ in range(4)]
        + [ask(several, aggregate=how) for how in ("none", "sum", "mean")]
        + [ask(damping=0.01), ask(damping=0.1, damping_mode="relative"), ask(curvature="gauss_newton")]
        + [ask(candidates={"nearest_neighbors": 50}), ask(candidates={"indices": list(range(0, 1000, 7))})]
        + [ask(groups=[{"name": "first", "indices": list(range(100))}, {"name": "odd", "indices": list(range(1, 99, 2))}])]
        + [ask(include=["inputs"]), ask(include=[]), ask(include=["all_scores"]), ask(checkpoint="epoch-10")]
        + [ask([{"input": rows}]), ask([{"input": rows, "target": 3}])]
        + [Question({"model": "digits", "tests": several}, "/predict")]
        + [Question({"model": "digits", "tests": [{"input": {**encoded, "shape": [8, 8]}}]}, "/predict")]
        + [ask(**everything), ask(**everything, solver={"name": "exact"})]
    )


def bad_requests(address):
    """(name, octets, statuses that are right, whether the connection must close: None where it may)."""
    host = f"Host: {address[0]}:{address[1]}\r\n"
    line, ask_line = "GET /health/live HTTP/1.1\r\n", "POST /influence HTTP/1.1\r\n"

    def get(fields="", line=line):
        return f"{line}{host}{fields}\r\n".encode("latin-1")

    def post(fields, body=b"", path="/influence"):
        return wire.post_head(path, address, fields) + body

    def ask(body, fields=""):
        return wire.post("/influence", address, body, fields)

    smuggled = b"0\r\n\r\nGET /models HTTP/1.1\r\n" + host.encode() + b"\r\n"
    deep = b'{"model": ' + b"[" * 100 + b"]" * 100 + b"}"
    question = b'{"model": "digits", "tests": [{"dataset": "digits-test", "index": 26}]'
    return [
        ("no Host", line.encode() + b"\r\n", {400}, True),
        ("two Hosts", get(host), {400}, True),
        ("space before the colon", get("X : 1\r\n"), {400}, True),
        ("folded field", get("X: 1\r\n 2\r\n"), {400}, True),
        ("NUL in a value", get("X: a\0b\r\n"), {400}, True),
        ("bare LF", line.replace("\r\n", "\n").encode() + host.encode() + b"\r\n", {400}, True),
        ("HTTP/0.9", b"GET /health/live\r\n", {400}, True),
        ("HTTP/2.0", get(line="GET / HTTP/2.0\r\n"), {505}, True),
        ("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200, 256)) + b"\r\n\r\n", {400}, True),
        ("target too long", get(line=f"GET /{'a' * 20_000} HTTP/1.1\r\n"), {414}, True),
        ("field too long", get(f"X: {'a' * 20_000}\r\n"), {431}, True),
        ("too many fields", get("".join(f"X{n}: 1\r\n" for n in range(150))), {431}, True),
        ("unknown method", get(line="BREW / HTTP/1.1\r\n"), {501}, False),
        ("wrong method", get(line="DELETE /influence HTTP/1.1\r\n"), {405}, False),
        ("unknown path", get(line="GET /nowhere HTTP/1.1\r\n"), {404}, False),
        ("dots in the path", get(line="GET /models/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n"), {400, 404}, None),
        ("not acceptable", get("Accept: text/html\r\n", "GET /models HTTP/1.1\r\n"), {406}, False),
        ("unknown expectation", post("Content-Length: 2\r\nExpect: tea\r\n", b"{}"), {417}, None),
        ("Content-Length and chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", smuggled), {400}, True),
        ("chunked and Content-Length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", smuggled), {400}, True),
        ("two Content-Lengths", post("Content-Length: 5\r\nContent-Length: 50\r\n", smuggled), {400}, True),
        ("hidden chunked", post("Transfer-Encoding: xchunked\r\n", smuggled), {400}, True),
        ("chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", smuggled), {400}, True),
        ("signed Content-Length", post("Content-Length: +5\r\n", smuggled), {400}, True),
        ("chunk size in 0x", post("Transfer-Encoding: chunked\r\n", b"0x5\r\nhello\r\n0\r\n\r\n"), {400}, True),
        ("chunk longer than its size", post("Transfer-Encoding: chunked\r\n", b"2\r\nhello\r\n0\r\n\r\n"), {400}, True),
        ("body too large", post("Content-Length: 100000000000\r\n"), {413}, True),
        ("no length", post(""), {411}, None),
        ("wrong type", get("Content-Type: text/plain\r\nContent-Length: 2\r\n", ask_line) + b"{}", {415}, None),
        ("encoded", post("Content-Length: 2\r\nContent-Encoding: gzip\r\n", b"{}"), {415}, None),
        ("no JSON", ask(b"hello"), {400}, False),
        ("trailing comma", ask(question + b",}"), {400}, False),
        ("key twice", ask(question + b', "model": "digits"}'), {400}, False),
        ("invalid UTF-8", ask(b'{"model": "\xff"}'), {400}, False),
        ("too deep", ask(deep), {400}, False),
        ("unknown field", ask(question + b', "colour": 1}'), {422}, False),
        ("k out of range", ask(question + b', "k": 1000000}'), {422}, False),
        ("unknown model", ask(question.replace(b"digits", b"nobody", 1) + b"}"), {404}, False),
        ("unknown index", ask(question.replace(b"26", b"4000") + b"}"), {404, 422}, False),
    ]
