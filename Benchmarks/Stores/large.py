"""A store of 1 GB: what a process that starts on it waits for, and how fast a cache goes past that memory is too small for."""
import json
import math
import random
import struct

import disk
import stopwatch
from service import Server

ROWS, WIDTH, CLASSES = 250_000, 784, 10
# Numbers in a row of each cache, so that data and the float32 one take 1 GB together.
CACHES = {"float32": 800, "int8": 2_048}
# Even, so that each step comes first as often as second.
ROUNDS = 6


class LargeStore:
    """Synthetic data, a softmax regression on them, and a projected cache; the second cache is built when it is first wanted."""

    def __init__(self, program, folder):
        self.program, self.path = program, folder / "large.sqlite"
        self.random = random.Random(1)
        self.regions = {}
        self._data("large", ROWS, folder)
        self._data("large-test", 64, folder)
        # The decay makes s_test quick: reading is what is measured.
        spec = {
            "layers": [{"type": "linear", "name": "linear", "in_features": WIDTH, "out_features": CLASSES, "bias": False}],
            "loss": {"type": "cross_entropy"}, "weight_decay": 1}
        (folder / "spec.json").write_text(json.dumps(spec))
        weights = [self.random.gauss(0, 0.05) for _ in range(CLASSES * WIDTH)]
        safetensors(folder / "model.safetensors", "linear.weight", (CLASSES, WIDTH), weights)
        program.run(
            "import model", store=self.path, name="large", spec=folder / "spec.json", dataset="large",
            parameters=folder / "model.safetensors")
        self.cache("float32")
        # What is derived once for a checkpoint, its spectrum, is in the store from the first question on.
        with Server(program, self.path) as server:
            server.ask([63])

    def _data(self, name, count, folder):
        inputs, targets = folder / "inputs.npy", folder / "targets.npy"
        # A fifth of the pixels are not black, as in pictures of digits.
        table = bytes(0 if value < 205 else value for value in range(256))
        pixels = (self.random.randbytes(min(10_000, count - first) * WIDTH).translate(table) for first in range(0, count, 10_000))
        npy(inputs, "|u1", (count, WIDTH), pixels)
        labels = struct.pack(f"<{count}i", *(self.random.randrange(CLASSES) for _ in range(count)))
        npy(targets, "<i4", (count,), [labels])
        self.program.run(
            "import dataset", store=self.path, name=name, inputs=inputs, targets=targets, divide_by=255)
        inputs.unlink()

    def cache(self, encoding):
        """The name of the projected cache of an encoding, where it begins in the file, and its bytes; builds it where it is not."""
        dimension = CACHES[encoding]
        if encoding not in self.regions:
            start = self.path.stat().st_size
            self.program.cache(
                self.path, model="large", kind="projected", proj_type="sjlt", projection_dim=dimension, dtype=encoding)
            size = int(self.program.said.split(" bytes")[0].rsplit(" ", 1)[1])
            self.regions[encoding] = (start, size)
        return f"projected-sjlt-{dimension}-seed0-{encoding}", *self.regions[encoding]


def npy(path, kind, shape, parts):
    """Writes an array (NumPy's format, version 1.0)."""
    header = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        for part in parts:
            file.write(part)


def safetensors(path, name, shape, numbers):
    """Writes one tensor of float32."""
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * len(numbers)]}}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack(f"<{len(numbers)}f", *numbers))


def cold_start(store):
    """From exec to the first answer, with nothing of the store in memory."""
    name, _, size = store.cache("float32")
    needed = ROWS * WIDTH + size
    times = stopwatch.Times()

    def read(state):
        times.add(f"reading its bytes, {state}", disk.read_milliseconds(store.path, 0, needed))

    def answer(state):
        with Server(store.program, store.path) as server:
            times.add(f"exec to ready, {state}", server.ready_milliseconds)
            times.add(f"the first answer, {state}", server.ask([2 * round], gradients=name)[1])
            times.add("an answer of the same process", server.ask([2 * round + 1], gradients=name)[1])

    for round in range(ROUNDS):
        # A host's cache favours who comes second.
        for step in (read, answer) if round % 2 == 0 else (answer, read):
            how = disk.forget_everything(store.path)
            step("cold")
        times.add("reading and hashing them, warm", disk.hash_milliseconds(store.path, 0, needed))
        for step in (read, answer):
            step("warm")
    times.report(f"start on a store of {store.path.stat().st_size / 1e9:.2f} GB; cold: {how}")
    stopwatch.ratio("a second / exec to ready, cold", 1_000, times["exec to ready, cold"], at_least=1)
    later = times["an answer of the same process"]
    print(f"  {needed / times['reading its bytes, cold'] / 1e6:.2f} GB/s read from the disk, "
          f"{needed / times['reading and hashing them, warm'] / 1e6:.2f} GB/s hashed")
    stopwatch.ratio(
        f"(reading {needed / 1e9:.2f} GB + a later answer) / the first answer, cold", times["reading its bytes, cold"] + later,
        times["the first answer, cold"], at_least=0.8)
    stopwatch.ratio(
        "(reading and hashing them + a later answer) / the first answer, warm", times["reading and hashing them, warm"] + later,
        times["the first answer, warm"])


def streaming(store):
    """Scans of caches that take four times what may stay in memory, against reading them."""
    for encoding in CACHES:
        name, start, size = store.cache(encoding)
        # A quarter of the memory is for caches.
        with (
            Server(store.program, store.path, compute_memory_bytes=math.ceil(size / 4) * 4) as server,
            Server(store.program, store.path) as resident,
        ):
            compare(server, resident, name)
            times = stopwatch.Times()
            for round in range(ROUNDS):
                for count in (1, 16):
                    for state in ("cold", "warm"):
                        # A host's cache favours who comes second.
                        for is_ours in (False, True) if round % 2 == 0 else (True, False):
                            if state == "cold":
                                disk.forget(store.path)
                            if is_ours:
                                answer, _ = server.ask(range(count), gradients=name)
                                times.add(f"scores along {count}, {state}", answer["timing"]["score_ms"])
                            else:
                                times.add(f"reading, {state}", disk.read_milliseconds(store.path, start, size))
                    answer, _ = resident.ask(range(count), gradients=name)
                    times.add(f"scores along {count} in memory", answer["timing"]["score_ms"])
        times.report(f"streaming {size / 1e6:.0f} MB of {encoding}, of which {size / 4e6:.0f} MB may stay in memory")
        for count in (1, 16):
            for state in ("cold", "warm"):
                ours, reading = times[f"scores along {count}, {state}"], times[f"reading, {state}"]
                # Where a file lies in memory, many vectors take longer than reading, wherever rows are.
                is_bound = count == 1 or state == "cold"
                stopwatch.ratio(
                    f"scores along {count} / reading the rows, {state}", ours, reading, at_most=1.3 if is_bound else None)
                if not is_bound:
                    stopwatch.ratio(
                        f"scores along {count} / (reading the rows + scoring them in memory), {state}", ours,
                        reading + times[f"scores along {count} in memory"], at_most=1.3)


def compare(streamed, resident, name):
    """Both have to say the same; afterwards s_test is known to both, and the rows to be whole."""
    for tests in ([0], range(16)):
        ours, theirs = (server.ask(tests, gradients=name)[0]["results"] for server in (streamed, resident))
        if ours != theirs:
            raise SystemExit(f"streamed and resident scores of {name} differ")
