"""TracInCP by captum, and as a PyTorch user would write it by hand; see Sources/Ratios/MethodRatios.swift. Reads a case a line, answers
with its milliseconds.

usage: methods_peer.py SHARED    (the folder with data/mnist and fixtures/mnist-mlp; captum must be there)
"""
import sys

import torch
import torch.nn.functional as F
from captum.influence import TracInCP, TracInCPFast
from safetensors.torch import load_file

from mnist_peer import Perceptron, first_test, serve, training

shared = sys.argv[1]
fixture = f"{shared}/fixtures/mnist-mlp"
RATE, CHECKPOINTS = 0.001, [f"{fixture}/ckpt_{place}.safetensors" for place in range(3)]
X, y = training(shared)
x_test, y_test = first_test(shared, fixture)


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
serve(cases)
