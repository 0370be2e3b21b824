"""Exact nearest neighbours by faiss and by scikit-learn; see Sources/Ratios/NeighborRatios.swift. Reads a case a line, answers with its
milliseconds.

usage: neighbors_peer.py DATA    (the folder of peers_c.py's data; faiss and scikit-learn are taken where they are)
"""
import os
import sys
import time

import numpy as np

rows = np.load(f"{sys.argv[1]}/data/fastif_X.npy")
queries = np.load(f"{sys.argv[1]}/fixtures/fastif-head/X_test20.npy")
cases = {}
try:
    import faiss

    faiss.omp_set_num_threads(os.cpu_count())
    flat = faiss.IndexFlatL2(rows.shape[1])
    flat.add(rows)
    cases |= {
        f"faiss, {k} of {count}": lambda k=k, count=count: flat.search(queries[:count], k)
        for k, count in ((1_000, 1), (10_000, 1), (1_000, 16))}
except ImportError:
    pass
try:
    from sklearn.neighbors import NearestNeighbors

    brute = NearestNeighbors(n_neighbors=1_000, algorithm="brute").fit(rows)
    cases["sklearn, 1000 of 1"] = lambda: brute.kneighbors(queries[:1])
except ImportError:
    pass

print("ready", flush=True)
for line in sys.stdin:
    case = cases.get(line.strip())
    if not case:
        print(-1, flush=True)
        continue
    start = time.perf_counter()
    case()
    print((time.perf_counter() - start) * 1e3, flush=True)
