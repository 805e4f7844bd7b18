"""Writes the fixtures of checkpoints as training scripts save them: tiny-a of the table with other things beside it, several sets of
weights, two networks in one file, a module saved whole and as TorchScript. Values are those of tiny.safetensors, times a factor.

    python testdata/torch/wrapped.py     (torch, numpy and safetensors from PyPI; after generate.py)
"""
import argparse
import collections
import datetime
import decimal
import enum
import pathlib
import random
import struct
import json
import warnings
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

here = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")
torch.manual_seed(4)


def read(path):
    b = path.read_bytes()
    (n,) = struct.unpack("<Q", b[:8])
    d = OrderedDict()
    for name, e in json.loads(b[8 : 8 + n]).items():
        if name == "__metadata__" or e["dtype"] != "F32":
            continue
        i, j = e["data_offsets"]
        name = name.replace("linear.", "fc.")
        d[name] = torch.frombuffer(bytearray(b[8 + n + i : 8 + n + j]), dtype=torch.float32).reshape(e["shape"])
    return d


network = read(here / "tiny.safetensors")


def times(factor, prefix="", head=True):
    return OrderedDict((prefix + k, v * factor) for k, v in network.items() if head or not k.startswith("fc."))


class Kind(enum.Enum):
    SGD = 1


class Config(dict):  # a dictionary with attributes, as configuration libraries have
    def __init__(self, **kw):
        super().__init__(**kw)
        self.__dict__ = self


class Slots:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a, self.b = 1, [2, (3,)]


class Meter(nn.Module):
    pass


beside = {
    "args": argparse.Namespace(lr=0.1, out=pathlib.Path("/x/y"), betas=(0.9, 0.999), nested=argparse.Namespace(a=None)),
    "best": np.float64(0.91),
    "best32": np.float32(0.5),
    "history": np.arange(6.0).reshape(2, 3),
    "path": pathlib.PurePosixPath("/a/b"),
    "cfg": Config(lr=0.1, kind=Kind.SGD),
    "slots": Slots(),
    "when": datetime.datetime(2026, 1, 2, 3, 4, 5),
    "took": datetime.timedelta(seconds=5),
    "price": decimal.Decimal("1.5"),
    "counts": collections.Counter("abca"),
    "by_epoch": collections.defaultdict(list, {0: [1.0], (1, 2): [2.0]}),
    "tags": {"a", "b"},
    "frozen": frozenset([1, 2]),
    "raw": b"\x00\xff",
    "array": bytearray(b"abc"),
    "complex": 1 + 2j,
    "range": range(3),
    "slice": slice(1, 2),
    "rng": random.getstate(),
    "numpy_rng": np.random.default_rng(1).bit_generator.state,
    "torch_rng": torch.get_rng_state(),
    "device": torch.device("cuda:0"),
    "dtype": torch.float16,
    "size": torch.Size([1, 2]),
    "function": argparse.ArgumentParser,
    "huge": 2**100,
    "negative": -(2**70),
    "imaginary": torch.zeros(2, dtype=torch.complex64),
    "short": torch.zeros(3, dtype=torch.int16),
    "sparse": torch.eye(2).to_sparse(),
    "optimizer": {"state": {0: {"momentum_buffer": torch.ones(5, 3, 3, 3), "step": np.int64(3)}}, "param_groups": [{"lr": np.float64(0.1), "params": [0]}]},
    "scheduler": {"lr_lambdas": [None], "milestones": collections.Counter({30: 1}), "_step_count": 4},
    None: "None",
    1.5: "float",
    (1, 2): "tuple",
    Kind.SGD: "enum",
}
wrapped = dict(beside, model=times(1), epoch=9)
torch.save(wrapped, here / "beside.pth")
torch.save(wrapped, here / "beside-protocol5.pth", pickle_protocol=5)
torch.save(wrapped, here / "beside-legacy.pth", _use_new_zipfile_serialization=False)

# An object in the place of a tensor.
torch.save({"model": OrderedDict(times(1), **{"layer1.0.conv1.weight": argparse.Namespace()})}, here / "object-for-tensor.pth")

ema = times(1.5, "module.")
ema["n_averaged"] = torch.tensor(9)
torch.save({"model": times(1), "model_ema": ema, "optimizer": {"conv1.weight": torch.ones(5, 3, 3, 3)}}, here / "averages.pth")

# As MoCo: two encoders with heads of several layers and a queue, without a classifier.
siamese = OrderedDict()
for name, factor in ("encoder_q", 1), ("encoder_k", 2):
    siamese.update(times(factor, f"module.{name}.", head=False))
    siamese[f"module.{name}.fc.0.weight"], siamese[f"module.{name}.fc.0.bias"] = torch.zeros(6, 20), torch.zeros(6)
    siamese[f"module.{name}.fc.2.weight"], siamese[f"module.{name}.fc.2.bias"] = torch.zeros(4, 6), torch.zeros(4)
siamese["module.queue"], siamese["module.queue_ptr"] = torch.zeros(4, 8), torch.zeros(1, dtype=torch.long)
torch.save({"epoch": 200, "arch": "tiny", "state_dict": siamese}, here / "siamese.pth.tar")


class Block(nn.Module):
    def __init__(self, c, w, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, w, 3, stride, 1, bias=False), nn.BatchNorm2d(w)
        self.conv2, self.bn2 = nn.Conv2d(w, w, 3, 1, 1, bias=False), nn.BatchNorm2d(w)
        self.pad, self.stride = w - c, stride

    def forward(self, x):
        s = nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad // 2, self.pad - self.pad // 2))
        return (s + self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))).relu()


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 5, 3, 1, 1, bias=False), nn.BatchNorm2d(5)
        self.layer1, self.layer2, self.layer3 = nn.Sequential(Block(5, 5, 1)), nn.Sequential(Block(5, 10, 2)), nn.Sequential(Block(10, 20, 2))
        self.fc = nn.Linear(20, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.fc(x.mean((2, 3)))


m = Tiny().eval()
m.load_state_dict(network, strict=False)
torch.save({"epoch": 3, "model": nn.DataParallel(m)}, here / "module.pth")
torch.save(m, here / "module-legacy.pth", _use_new_zipfile_serialization=False)
torch.jit.trace(m, torch.zeros(1, 3, 9, 9)).save(str(here / "script.pt"))
