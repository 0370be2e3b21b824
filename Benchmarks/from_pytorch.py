#!/usr/bin/env python3
"""Does what README.md says under "From PyTorch", word for word, and compares the predictions of both sides.

usage: from_pytorch.py [PROGRAM]    (.build/release/influenced by default; needs torch, numpy and safetensors, and says so where they are not)
"""
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import urllib.request

try:
    import numpy
    import safetensors
    import torch
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOLERANCE = 1e-5


def snippets():
    """The Python and the commands of the section."""
    text = open(os.path.join(ROOT, "README.md"), encoding="utf-8").read()
    section = re.search(r"^### From PyTorch$(.*?)^##", text, re.MULTILINE | re.DOTALL).group(1)
    return [re.search(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL).group(1) for language in ("python", "sh")]


def check(condition, words):
    print(("ok: " if condition else "FAILED: ") + words)
    if not condition:
        sys.exit(1)


def compare(folder, program, model, x, y):
    """Holds the predictions of all test rows against torch's."""
    server = subprocess.Popen(
        [program, "serve", "--store", os.path.join(folder, "my.sqlite"), "--port", "0"], stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().split("listening on ")[1].strip()
        with torch.no_grad():
            expected = model(x)
            losses = torch.nn.functional.cross_entropy(expected, y, reduction="none")
        worst, scale = 0.0, expected.abs().max().item()
        for start in range(0, len(x), 32):
            rows = range(start, min(start + 32, len(x)))
            body = {"model": "net", "tests": [{"dataset": "test", "index": row} for row in rows]}
            request = urllib.request.Request(
                url + "/predict", json.dumps(body).encode(), {"Content-Type": "application/json"})
            for row, result in zip(rows, json.load(urllib.request.urlopen(request))["results"]):
                difference = (torch.tensor(result["outputs"]) - expected[row]).abs().max().item() / scale
                worst = max(worst, difference, abs(result["loss"] - losses[row].item()) / max(1.0, losses[row].item()))
        example = json.load(urllib.request.urlopen(url + "/datasets/train/examples/3"))
        check((example["id"], example["metadata"]) == ("digit-3", {"image": "digits/3.png"}), "examples have their metadata")
        check(math.isfinite(worst) and worst < TOLERANCE, f"{len(x)} predictions and losses agree to {worst:.1e} of the largest")
    finally:
        server.terminate()
        server.wait()


def main():
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, ".build/release/influenced"))
    python, commands = snippets()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.join(ROOT, "Sources"), os.path.join(folder, "Sources"))
        os.symlink(program, os.path.join(folder, "influenced"))
        os.chdir(folder)
        torch.manual_seed(0)
        names = {}
        exec(compile(python, "README.md", "exec"), names)
        path = folder + os.pathsep + os.environ["PATH"]
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], env={**os.environ, "PATH": path}, capture_output=True, text=True)
        print(result.stdout + result.stderr)
        check(result.returncode == 0, "the commands succeed")
        check("1.num_batches_tracked" in result.stdout, "what the spec does not name is listed")
        check("proponents" in result.stdout, "the question is answered")
        compare(folder, program, names["model"], names["x"][1397:], names["y"][1397:])


main()
