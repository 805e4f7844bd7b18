"""Writes the logits of torchvision's networks, and of some of timm's, with weights and images that an integer hash makes, here and in internal/blocks/torchvision_test.go alike.

    python testdata/parity/torchvision/generate.py     (torch, torchvision, timm, numpy and safetensors from PyPI); names of networks write those alone
"""
import pathlib
import sys

import numpy as np
import torch
import torchvision
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent


def uniform(name, n):
    """n values of [-1, 1), exact in float32: FNV-1a of the name, then a mixing of 32 bits for each index."""
    seed = 2166136261
    for b in name.encode():
        seed = (seed ^ b) * 16777619 & 0xFFFFFFFF
    x = (np.arange(n, dtype=np.uint64) * 0x9E3779B9 + seed).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def scale(name, shape, last):
    """Centre and half width: activations stay near one, as the last normalisation of a block adds little."""
    if len(shape) == 4:
        return 0.0, (6 / (shape[1] * shape[2] * shape[3])) ** 0.5
    if len(shape) == 2:
        return 0.0, (3 / shape[1]) ** 0.5
    if name.endswith("running_var"):
        return 1.0, 0.25
    if name.endswith("weight"):
        return (0.25 if last else 1.0), 0.1
    return 0.0, 0.1


IMAGES = {"vgg16": ((1, 224), (2, 224)), "vgg16_bn": ((1, 224), (2, 224))}  # whose fully connected layers fix the size, here
TIMM = ("resnet50d", "seresnet50")
for arch in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "googlenet", "vgg16", "vgg16_bn", "resnext50_32x4d", "wide_resnet50_2", *TIMM):
    if sys.argv[1:] and arch not in sys.argv[1:]:
        continue
    if arch in TIMM:
        import timm
        net = timm.create_model(arch)
    else:
        net = getattr(torchvision.models, arch)(**({"init_weights": False} if arch == "googlenet" else {}))
    state = net.state_dict()
    for name, t in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        block, _, part = name.rpartition(".bn")
        last = part.startswith("3.") or part.startswith("2.") and f"{block}.conv3.weight" not in state
        centre, width = scale(name, t.shape, last)
        values = (centre + width * uniform(name, t.numel())).astype(np.float32)
        t.copy_(torch.from_numpy(values).reshape(t.shape))
    net.eval()
    out = {}
    for n, size in IMAGES.get(arch, ((1, 224), (7, 224), (1, 320))):
        x = (2 * uniform("image", n * 3 * size * size)).astype(np.float32).reshape(n, 3, size, size)
        with torch.no_grad():
            out[f"{n}x{size}"] = net(torch.from_numpy(x)).contiguous()
        print(arch, n, size, float(out[f"{n}x{size}"].std()), float(out[f"{n}x{size}"].abs().max()))
    save_file(out, here / f"{arch}.safetensors")
