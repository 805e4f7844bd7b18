"""Writes the fixtures of torch.save: one network (tiny-a of the table, names as in the CIFAR nets) as a zip, in the format before
PyTorch 1.6, and as safetensors for comparison; and pickles that would run something.

    python testdata/torch/generate.py     (torch and safetensors from PyPI)
"""
import os
import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
torch.manual_seed(4)


def network(prefix):
    d = OrderedDict()

    def bn(name, c):
        for part in ("weight", "bias", "running_mean", "running_var"):
            d[f"{prefix}{name}.{part}"] = torch.rand(c) + 0.5
        d[f"{prefix}{name}.num_batches_tracked"] = torch.tensor(7)

    def conv(name, k, c):
        d[f"{prefix}{name}.weight"] = torch.randn(c, k, 3, 3).permute(1, 0, 2, 3) * 0.1  # not contiguous

    conv("conv1", 5, 3)
    bn("bn1", 5)
    c = 5
    for i, w in enumerate((5, 10, 20)):
        conv(f"layer{i + 1}.0.conv1", w, c)
        bn(f"layer{i + 1}.0.bn1", w)
        conv(f"layer{i + 1}.0.conv2", w, w)
        bn(f"layer{i + 1}.0.bn2", w)
        c = w
    d[f"{prefix}linear.weight"] = torch.nn.Parameter(torch.randn(20, 10).t())
    d[f"{prefix}linear.bias"] = torch.randn(12)[1:11]  # a view with an offset
    return d


class Runs:
    def __reduce__(self):
        return os.system, ("touch executed",)


d = network("module.")
torch.save({"best_prec1": 91.25, "state_dict": d}, here / "tiny.pth")
torch.save({"best_prec1": 91.25, "state_dict": d}, here / "tiny-legacy.pth", _use_new_zipfile_serialization=False)
save_file({k.removeprefix("module."): v.detach().contiguous() for k, v in d.items()}, here / "tiny.safetensors")
half = {k: v.detach().to(torch.bfloat16) if v.is_floating_point() else v for k, v in d.items()}
torch.save({"model": half}, here / "tiny-bfloat16.pth")
torch.save({"model": {k: v.double() if v.is_floating_point() else v for k, v in half.items()}}, here / "tiny-double.pth")
torch.save({"state_dict": {"conv1.weight": Runs()}}, here / "runs.pth")
torch.save({"state_dict": {"conv1.weight": Runs()}}, here / "runs-legacy.pth", _use_new_zipfile_serialization=False)
