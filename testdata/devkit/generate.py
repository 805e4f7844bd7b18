"""Writes a meta.mat as the development kit of ILSVRC-2012 has it, with SciPy: the struct array `synsets`, compressed.

The WordNet IDs are those of internal/datasets/synsets.tsv; the ILSVRC2012_IDs are made up (a fixed permutation) except those of the first
five validation images. Groups of classes follow the classes, as in the original. plain.mat is its first rows, not compressed.
"""
import pathlib

import numpy as np
from scipy.io import savemat

here = pathlib.Path(__file__).parent
wnids = [l.split("\t")[0] for l in open(here / "../../internal/datasets/synsets.tsv")]
known = {65: 490, 970: 361, 230: 171, 809: 822, 516: 297}
free = [i for i in range(1, 1001) if i not in known.values()]
ids = {}
for k in range(1000):
    ids[k] = known.get(k) or free.pop((k * 7919) % len(free))
order = sorted(range(1000), key=lambda k: ids[k])

fields = [(n, "O") for n in ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images")]


def row(i, wnid, children):
    return (np.array([[float(i)]]), wnid, "w", "g", np.array([[float(len(children))]]), np.array([children], float), np.array([[0.0]]), np.array([[1300.0]]))


rows = [row(ids[k], wnids[k], []) for k in order]
rows += [row(1001 + i, f"n9999999{i}", [1, 2]) for i in range(3)]
table = np.array(rows, dtype=fields).reshape(-1, 1)
savemat(here / "meta.mat", {"other": np.arange(6.0).reshape(2, 3), "synsets": table}, do_compression=True)
savemat(here / "plain.mat", {"synsets": table[:4]}, do_compression=False)
