"""What a PyTorch user would write for the same work; see Sources/Ratios. Reads a case a line, answers with its milliseconds.

usage: torch_peer.py SHARED    (the folder with data/mnist and fixtures/mnist-softmax)
"""
import gzip
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file

torch.set_num_threads(os.cpu_count())
shared = sys.argv[1]


def idx(name, offset):
    return np.frombuffer(gzip.open(f"{shared}/data/mnist/{name}.gz").read(), np.uint8)[offset:]


X = torch.from_numpy(idx("train-images-idx3-ubyte", 16).reshape(-1, 784)[5000:].astype(np.float32) / 255)
y = torch.from_numpy(idx("train-labels-idx1-ubyte", 8)[5000:].astype(np.int64))
tests = np.load(f"{shared}/fixtures/mnist-softmax/test_idx.npy")
x_test = torch.from_numpy(idx("t10k-images-idx3-ubyte", 16).reshape(-1, 784)[tests[:1]].astype(np.float32) / 255)
y_test = torch.from_numpy(np.load(f"{shared}/fixtures/mnist-softmax/y_test.npy")[:1].astype(np.int64))
weight = torch.from_numpy(load_file(f"{shared}/fixtures/mnist-softmax/model.safetensors")["linear.weight"])
model = torch.nn.Linear(784, 10, bias=False)
model.weight.data.copy_(weight)
weight_decay = 0.01
v = torch.autograd.grad(F.cross_entropy(model(x_test), y_test), [model.weight])[0].detach()
direction = torch.randn(10, 784)


def hvp(x, target, vector):
    loss = F.cross_entropy(model(x), target)
    (gradient,) = torch.autograd.grad(loss, [model.weight], create_graph=True)
    return torch.autograd.grad(gradient, [model.weight], grad_outputs=vector)[0]


def lissa(batch, depth=1000, repeats=4, scale=25.0):
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros_like(v)
    for _ in range(repeats):
        h = v.clone()
        rows = torch.randint(0, len(X), (depth, batch), generator=generator)
        for j in range(depth):
            h = v + h - (hvp(X[rows[j]], y[rows[j]], h) + weight_decay * h) / scale
        total += h / scale
    return total / repeats


def scores():
    residuals = torch.softmax(X @ weight.T, 1)
    residuals[torch.arange(len(X)), y] -= 1
    return (residuals * (X @ direction.T)).sum(1)


cases = {
    "lissa-32": lambda: lissa(32, scale=5.0),
    "lissa-1": lambda: lissa(1),
    "product": lambda: X @ direction.T,
    "scores": scores,
}
print("ready", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    cases[line.strip()]()
    print((time.perf_counter() - start) * 1e3, flush=True)
