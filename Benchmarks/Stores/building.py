"""Gradient caches of MNIST networks, built and stored by the program; PyTorch's gradients beside the factored one."""
import os
import shutil
import subprocess
import time

import stopwatch

EXAMPLES, TORCH_EXAMPLES = 55_000, 4_096
ROUNDS = 5


class TorchPeer:
    """PyTorch in a process of its own, which is told a case a line and answers with its milliseconds."""

    def __init__(self, interpreter, script, *arguments):
        self.process = subprocess.Popen(
            [interpreter, str(script), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit(f"{interpreter} does not run {script}")

    def milliseconds(self, case):
        print(case, file=self.process.stdin, flush=True)
        elapsed = float(self.process.stdout.readline())
        # Its threads look out for more work for some milliseconds.
        time.sleep(0.05)
        return elapsed

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run(program, folder, shared, script):
    if not (shared / "data/mnist").exists():
        print("the MNIST files are not here: building caches is skipped")
        return
    imported = folder / "mnist.sqlite"
    models(program, imported, shared)
    interpreter = os.environ.get("PEERS_PYTHON")
    peer = TorchPeer(interpreter, script, shared) if interpreter else None
    times = stopwatch.Times()
    for round in range(ROUNDS + 1):
        store = folder / "fresh.sqlite"
        shutil.copy(imported, store)
        os.sync()
        elapsed, _ = program.cache(store, model="mlp")
        torch = peer.milliseconds("vmap") if peer else None
        if round:
            times.add("influenced cache, factored", elapsed)
            if torch:
                times.add(f"torch vmap(grad) of {TORCH_EXAMPLES:,}", torch)
        for name in folder.glob("fresh.sqlite*"):
            name.unlink()
    if peer:
        peer.close()
    times.report(f"a factored cache of {EXAMPLES:,} MNIST examples, 784-128-10: the whole command")
    ours, theirs = times["influenced cache, factored"], times[f"torch vmap(grad) of {TORCH_EXAMPLES:,}"]
    print(f"  {EXAMPLES / ours * 1e3:10,.0f} examples/s" + (f"; torch: {TORCH_EXAMPLES / theirs * 1e3:,.0f}" if theirs else ""))
    stopwatch.ratio(
        "torch vmap(grad) / our command, an example", theirs and theirs / TORCH_EXAMPLES, ours / EXAMPLES, at_least=20)
    others(program, imported)


def models(program, store, shared):
    """The fixtures' network on 55,000 examples; it, and the softmax regression, on 10,000."""
    data, fixtures = shared / "data/mnist", shared / "fixtures"
    for dataset, rows in (("train", "5000:60000"), ("first", "5000:15000")):
        program.run(
            "import dataset", store=store, name=dataset, inputs=data / "train-images-idx3-ubyte.gz",
            targets=data / "train-labels-idx1-ubyte.gz", rows=rows, divide_by=255)
    for name, fixture, dataset in (
            ("mlp", "mnist-mlp", "train"), ("mlp-first", "mnist-mlp", "first"), ("softmax", "mnist-softmax", "first")):
        program.run(
            "import model", store=store, name=name, spec=fixtures / fixture / "spec.json", dataset=dataset,
            parameters=fixtures / fixture / "model.safetensors")


def others(program, store):
    """The other kinds of caches, once each."""
    print("\nother caches: the whole command, the measuring of their error included")
    dense = [("softmax", 10_000, {"kind": "dense", "dtype": dtype}) for dtype in ("float32", "int8")]
    projected = [
        (model, count, {"kind": "projected", "proj_type": kind, "projection_dim": dimension, "dtype": dtype})
        for model, count, kind, dimension, dtype in (
            ("mlp", EXAMPLES, "rank1", 529, "float32"), ("mlp-first", 10_000, "sjlt", 512, "float32"),
            ("mlp-first", 10_000, "sjlt", 512, "int8"), ("mlp-first", 10_000, "normal", 512, "float32"))]
    for model, count, options in dense + projected:
        elapsed, error = program.cache(store, model=model, **options)
        parameters = {"softmax": 7_840}.get(model, 101_770)
        print(
            f"  {count / elapsed * 1e3:10,.0f} rows/s  {' '.join(map(str, options.values()))}: {count:,} gradients of "
            f"{parameters:,} numbers in {elapsed / 1e3:.2f} s, error {error}", flush=True)
