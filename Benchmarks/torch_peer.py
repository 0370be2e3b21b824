"""What a PyTorch user would write for the same work; see Sources/Ratios. Reads a case a line, answers with its milliseconds.

usage: torch_peer.py SHARED    (the folder with data/mnist, fixtures/mnist-softmax and fixtures/mnist-mlp)
"""
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file

from mnist_peer import Perceptron, first_test, serve, training

shared = sys.argv[1]
X, y = training(shared)
x_test, y_test = first_test(shared, f"{shared}/fixtures/mnist-softmax")
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


mlp = Perceptron()
mlp.load_state_dict({k: torch.from_numpy(a) for k, a in load_file(f"{shared}/fixtures/mnist-mlp/model.safetensors").items()})
parameters = list(mlp.parameters())
vector = torch.from_numpy(np.load(f"{shared}/fixtures/mnist-mlp/hvp_in.npy").astype(np.float32))
vectors = [part.reshape(p.shape) for part, p in zip(vector.split([p.numel() for p in parameters]), parameters)]


def double_backward(x, target):
    gradients = torch.autograd.grad(F.cross_entropy(mlp(x), target), parameters, create_graph=True)
    return torch.autograd.grad(gradients, parameters, grad_outputs=vectors)


@torch.no_grad()
def r_operator(x, target):
    """Pearlmutter's R-operator, written out for this network."""
    w2 = mlp.fc2.weight
    v1, c1, v2, c2 = vectors
    hidden = torch.tanh(mlp.fc1(x))
    probability = torch.softmax(mlp.fc2(hidden), 1)
    delta = probability.clone()
    delta[torch.arange(len(x)), target] -= 1
    slope = 1 - hidden * hidden
    r_hidden = slope * F.linear(x, v1, c1)
    r_out = F.linear(hidden, v2, c2) + r_hidden @ w2.T
    r_delta = probability * (r_out - (probability * r_out).sum(1, keepdim=True))
    r_back = (r_delta @ w2 + delta @ v2) * slope - 2 * (delta @ w2) * hidden * r_hidden
    n = len(x)
    return r_back.T @ x / n, r_back.sum(0) / n, (r_delta.T @ hidden + delta.T @ r_hidden) / n, r_delta.sum(0) / n


def example_gradients(count, batch=128):
    detached = {name: p.detach() for name, p in mlp.named_parameters()}

    def loss(p, x, target):
        return F.cross_entropy(torch.func.functional_call(mlp, p, (x[None],)), target[None])

    gradients = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))
    for start in range(0, count, batch):
        gradients(detached, X[start:start + batch], y[start:start + batch])


@torch.no_grad()
def factored_scores(batch=5_500):
    """Every score from the factors of its gradients: no gradient is written out."""
    v1, c1, v2, c2 = vectors
    for start in range(0, len(X), batch):
        x, target = X[start:start + batch], y[start:start + batch]
        hidden = torch.tanh(mlp.fc1(x))
        delta = torch.softmax(mlp.fc2(hidden), 1)
        delta[torch.arange(len(x)), target] -= 1
        back = (delta @ mlp.fc2.weight) * (1 - hidden * hidden)
        (delta * F.linear(hidden, v2, c2)).sum(1) + (back * F.linear(x, v1, c1)).sum(1)


pictures = torch.nn.Sequential(
    torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Conv2d(16, 32, 3, padding=1),
    torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(1568, 10))


def repeat(times, function, *arguments):
    for _ in range(times):
        function(*arguments)


def picture_gradient(batch):
    loss = F.cross_entropy(pictures(X[:batch].reshape(-1, 1, 28, 28)), y[:batch])
    return torch.autograd.grad(loss, list(pictures.parameters()))


cases = {
    **{f"double-{b}": lambda b=b: repeat(50, double_backward, X[:b], y[:b]) for b in (32, 1024)},
    **{f"rop-{b}": lambda b=b: repeat(50, r_operator, X[:b], y[:b]) for b in (32, 1024)},
    **{f"conv-{b}": lambda b=b: repeat(10, picture_gradient, b) for b in (32, 256)},
    "vmap": lambda: example_gradients(4096),
    "ghost": factored_scores,
    "lissa-32": lambda: lissa(32, scale=5.0),
    "lissa-1": lambda: lissa(1),
    "product": lambda: X @ direction.T,
    "scores": scores,
}
serve(cases)
