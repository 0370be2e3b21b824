"""TracInCP by captum, and as a PyTorch user would write it by hand; see Sources/Ratios/MethodRatios.swift. Reads a case a line, answers
with its milliseconds.

usage: methods_peer.py SHARED    (the folder with data/mnist and fixtures/mnist-mlp; captum must be there)
"""
import gzip
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from captum.influence import TracInCP, TracInCPFast
from safetensors.torch import load_file

torch.set_num_threads(os.cpu_count())
shared = sys.argv[1]
fixture = f"{shared}/fixtures/mnist-mlp"
RATE, CHECKPOINTS = 0.001, [f"{fixture}/ckpt_{place}.safetensors" for place in range(3)]


def idx(name, offset):
    return np.frombuffer(gzip.open(f"{shared}/data/mnist/{name}.gz").read(), np.uint8)[offset:]


X = torch.from_numpy(idx("train-images-idx3-ubyte", 16).reshape(-1, 784)[5000:].astype(np.float32) / 255)
y = torch.from_numpy(idx("train-labels-idx1-ubyte", 8)[5000:].astype(np.int64))
tests = np.load(f"{fixture}/test_idx.npy")
x_test = torch.from_numpy(idx("t10k-images-idx3-ubyte", 16).reshape(-1, 784)[tests[:1]].astype(np.float32) / 255)
y_test = torch.from_numpy(np.load(f"{fixture}/y_test.npy")[:1].astype(np.int64))


class Perceptron(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(784, 128), torch.nn.Linear(128, 10)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


class Examples(torch.utils.data.Dataset):
    """Whole batches at a time: the loader is not what is to be measured."""

    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        return X[index], y[index]

    def __getitems__(self, indices):
        indices = torch.as_tensor(indices)
        return X[indices], y[indices]


def load(model, path):
    model.load_state_dict(load_file(path))
    return RATE


model = Perceptron()
loss = torch.nn.CrossEntropyLoss(reduction="sum")


loader = torch.utils.data.DataLoader(Examples(), batch_size=1000, collate_fn=list)
tracin = TracInCP(model, loader, CHECKPOINTS, load, loss_fn=loss, sample_wise_grads_per_batch=True)
fast = TracInCPFast(model, model.fc2, loader, CHECKPOINTS, load, loss_fn=loss)
models = []
for path in CHECKPOINTS:
    models.append(Perceptron())
    load(models[-1], path)


def factors(batch=5_500):
    """Every score from the factors of its gradients: no gradient is written out."""
    total = torch.zeros(len(X))
    for at in models:
        gradients = torch.autograd.grad(F.cross_entropy(at(x_test), y_test), list(at.parameters()))
        with torch.no_grad():
            v1, c1, v2, c2 = gradients
            for start in range(0, len(X), batch):
                x, target = X[start:start + batch], y[start:start + batch]
                hidden = torch.tanh(at.fc1(x))
                delta = torch.softmax(at.fc2(hidden), 1)
                delta[torch.arange(len(x)), target] -= 1
                back = (delta @ at.fc2.weight) * (1 - hidden * hidden)
                total[start:start + batch] += RATE * (
                    (delta * F.linear(hidden, v2, c2)).sum(1) + (back * F.linear(x, v1, c1)).sum(1))
    return total


cases = {
    "tracin": lambda: tracin.influence((x_test, y_test)), "fast": lambda: fast.influence((x_test, y_test)), "factors": factors,
}
print("ready", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    cases[line.strip()]()
    print((time.perf_counter() - start) * 1e3, flush=True)
