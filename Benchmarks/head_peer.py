"""What a PyTorch user would write for a softmax head on kept features; see Benchmarks/head. Reads a case a line, answers with its
milliseconds.

usage: head_peer.py DATA FOLDER COUNT    (the folder of peers_c.py's data; one that features of 16 bits and so many checkpoints go to)
"""
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

torch.set_num_threads(os.cpu_count())
data, folder, checkpoints = sys.argv[1:]
features = np.load(f"{data}/data/fastif_X.npy")
X, y = torch.from_numpy(features), torch.from_numpy(np.load(f"{data}/data/fastif_y.npy")).long()
fixture = f"{data}/fixtures/fastif-head/"
W, b, X_test, v, s_exact, scores_exact = (
    torch.from_numpy(np.load(f"{fixture}{name}.npy")) for name in ("W", "b", "X_test20", "v_test", "s_test", "scores"))
classes, width, decay = *W.shape, 0.005
for checkpoint in range(int(checkpoints)):
    # What is derived of a checkpoint goes by its numbers: each is another, and none so much that anybody could tell.
    save_file({"head.weight": W.numpy(), "head.bias": b.numpy() + np.float32(checkpoint * 1e-6)}, f"{folder}/head-{checkpoint}.safetensors")
np.save(f"{folder}/features-float16.npy", features.astype(np.float16))
rows = torch.arange(len(X))
model = torch.nn.Linear(width, classes)
model.weight.data.copy_(W)
model.bias.data.copy_(b)
parameters = [model.weight, model.bias]


def stacked(vector):
    vector = vector.reshape(classes, width + 1)
    return vector[:, :width].contiguous(), vector[:, width].contiguous()


@torch.no_grad()
def scores(s, bias):
    """Logits and their change along s from one product."""
    both = torch.addmm(torch.cat([b, bias]), X, torch.cat([W, s]).T)
    residuals = torch.softmax(both[:, :classes], 1)
    residuals[rows, y] -= 1
    return (residuals * both[:, classes:]).sum(1)


def lissa(batch=32, depth=1000, repeats=4, scale=25.0):
    """Of the settings measured the one whose scores are nearest to exact ones."""
    generator = torch.Generator().manual_seed(0)
    start = stacked(v[0])
    total = [torch.zeros_like(part) for part in start]
    for _ in range(repeats):
        h = [part.clone() for part in start]
        chosen = torch.randint(0, len(X), (depth, batch), generator=generator)
        for step in range(depth):
            loss = F.cross_entropy(model(X[chosen[step]]), y[chosen[step]])
            gradients = torch.autograd.grad(loss, parameters, create_graph=True)
            products = torch.autograd.grad(gradients, parameters, grad_outputs=h)
            h = [a + c - (d + decay * c) / scale for a, c, d in zip(start, h, products)]
        total = [a + c / scale / repeats for a, c in zip(total, h)]
    return total


exact = stacked(s_exact[0])
cases = {"scores": lambda: scores(*exact), "lissa": lissa}
print("ready", flush=True)
for line in sys.stdin:
    case, _, name = line.strip().partition(" ")
    if case == "pearson":
        # Of the scores of a test, in the file that the next line names.
        theirs = np.fromfile(sys.stdin.readline().strip(), np.float32)
        print(np.corrcoef(theirs, scores_exact[int(name)].numpy())[0, 1], flush=True)
        continue
    start = time.perf_counter()
    made = cases[case]()
    elapsed = (time.perf_counter() - start) * 1e3
    if case == "lissa":
        print(f"  torch's scores: Pearson {np.corrcoef(scores(*made).numpy(), scores_exact[0].numpy())[0, 1]:.3f}", file=sys.stderr)
    print(elapsed, flush=True)
