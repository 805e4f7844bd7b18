#!/usr/bin/env python3
"""The variants of residual networks as PyTorch modules, written apart from the Go code: for the fixtures of variants/ in reduced width, and in full for counts.

    python3 testdata/parity/variants.py            writes variants/ as generate.py writes its own folder
    python3 testdata/parity/variants.py counts     prints internal/blocks/testdata/variants.yaml; needs timm and torchvision, whose networks are counted where they have them

Names of parts are the Go code's.
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn

import generate

HERE = pathlib.Path(__file__).parent / "variants"

# Names are rows of internal/blocks/table_variants.go.
NETS = [
    dict(name="tiny-groups", kind="bottleneck", widths=[8, 16], depths=[2, 1], groups=4, widen=2, size=9, n=5, rate=0.05),
    dict(name="tiny-groups-odd", kind="bottleneck", widths=[6, 12], depths=[1, 1], groups=3, size=8, n=6, rate=0.05),
    dict(name="tiny-widened", kind="bottleneck", widths=[4, 8], depths=[1, 1], widen=2, size=8, n=6, rate=0.05),
    dict(name="tiny-d", kind="bottleneck", widths=[4, 6], depths=[1, 2], deep=True, avg_down=True, size=22, n=5, rate=0.05),
    dict(name="tiny-d-basic", kind="basic", widths=[6, 10], depths=[1, 1], deep=True, avg_down=True, size=33, n=4, rate=0.05),
    dict(name="tiny-se", kind="bottleneck", widths=[5, 6], depths=[2, 1], se=4, size=9, n=6, rate=0.05),
    dict(name="tiny-se-basic", kind="basic", widths=[7, 20], depths=[1, 1], se=3, size=8, n=6, rate=0.05),
    dict(name="tiny-preact", kind="pre-basic", widths=[5, 10, 20], depths=[2, 1, 1], option="A", size=9, n=5, rate=0.05),
    dict(name="tiny-preact-bottleneck", kind="pre-bottleneck", widths=[4, 6], depths=[2, 2], stem=5, size=8, n=6, rate=0.05),
    dict(name="tiny-wrn", kind="pre-basic", widths=[8, 16], depths=[2, 2], stem=4, size=9, n=5, rate=0.05),
]


def conv(cin, cout, k, stride=1, groups=1):
    return nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False)


class SE(nn.Module):
    """Squeeze-and-excitation as timm's SEModule writes it."""

    def __init__(self, channels, hidden, relu):
        super().__init__()
        self.fc1, self.fc2, self.act = nn.Conv2d(channels, hidden, 1), nn.Conv2d(hidden, channels, 1), [relu]

    def forward(self, x):
        return x * self.fc2(self.act[0](self.fc1(x.mean((2, 3), keepdim=True)))).sigmoid()


class Block(nn.Module):
    """Post-activation: torchvision's BasicBlock and Bottleneck, with groups, timm's SE and its average-pooled shortcut."""

    def __init__(self, cfg, relu, cin, width, stride):
        super().__init__()
        self.act = [relu]
        if cfg["kind"] == "basic":
            cout, shapes = width, [(cin, width, 3, stride, 1), (width, width, 3, 1, 1)]
        else:
            inner, cout = width * cfg.get("widen", 1), 4 * width
            first, second = (stride, 1) if cfg.get("caffe") and not cfg.get("groups") else (1, stride)
            shapes = [(cin, inner, 1, first, 1), (inner, inner, 3, second, cfg.get("groups", 1)), (inner, cout, 1, 1, 1)]
        self.count, self.cout = len(shapes), cout
        for i, shape in enumerate(shapes, 1):
            setattr(self, f"conv{i}", conv(*shape))
            setattr(self, f"bn{i}", nn.BatchNorm2d(shape[1]))
        if cfg.get("se"):
            self.se = SE(cout, max(8, int(cout / cfg["se"] + 4) // 8 * 8), relu)
        if stride != 1 or cin != cout:
            if cfg.get("avg_down"):
                pool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False) if stride > 1 else nn.Identity()
                self.downsample = nn.Sequential(pool, conv(cin, cout, 1), nn.BatchNorm2d(cout))
            else:
                self.downsample = nn.Sequential(conv(cin, cout, 1, stride), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = self.act[0](y) if i < self.count else y
        if hasattr(self, "se"):
            y = self.se(y)
        return self.act[0](y + (self.downsample(x) if hasattr(self, "downsample") else x))


class PreBlock(nn.Module):
    """Pre-activation, He et al. 2016b, Fig. 4(e): the activation is the shortcut's too in the first block and where the shape changes."""

    def __init__(self, cfg, relu, cin, width, stride, first):
        super().__init__()
        self.act, self.stride, self.cin = [relu], stride, cin
        if cfg["kind"] == "pre-basic":
            self.cout, shapes = width, [(cin, width, 3, stride), (width, width, 3)]
        else:
            self.cout, shapes = 4 * width, [(cin, width, 1, stride), (width, width, 3), (width, 4 * width, 1)]
        self.count = len(shapes)
        for i, shape in enumerate(shapes, 1):
            setattr(self, f"bn{i}", nn.BatchNorm2d(shape[0]))
            setattr(self, f"conv{i}", conv(*shape))
        self.changes = stride != 1 or cin != self.cout
        self.shared = first or self.changes
        if self.changes and cfg.get("option") != "A":
            self.downsample = nn.Sequential(conv(cin, self.cout, 1, stride))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = self.act[0](getattr(self, f"bn{i}")(y))
            if i == 1 and self.shared:
                x = y
            y = getattr(self, f"conv{i}")(y)
        if hasattr(self, "downsample"):
            return y + self.downsample(x)
        if self.changes:
            x, extra = x[:, :, :: self.stride, :: self.stride], self.cout - self.cin
            x = F.pad(x, (0, 0, 0, 0, extra // 2, extra - extra // 2))
        return y + x


class Net(nn.Module):
    def __init__(self, cfg, classes=10):
        super().__init__()
        self.cfg, self.margin, self.pre = cfg, float("inf"), cfg["kind"].startswith("pre")
        stem = cfg.get("stem", cfg["widths"][0])
        if cfg.get("deep"):
            half = stem // 2
            self.conv1 = nn.Sequential(conv(3, half, 3, 2), nn.BatchNorm2d(half), nn.ReLU(), conv(half, half, 3), nn.BatchNorm2d(half), nn.ReLU(), conv(half, stem, 3))
        else:
            self.conv1 = conv(3, stem, 7, 2) if cfg.get("large") else conv(3, stem, 3)
        cin = stem
        for s, (width, depth) in enumerate(zip(cfg["widths"], cfg["depths"])):
            blocks = []
            for j in range(depth):
                stride = 2 if s > 0 and j == 0 else 1
                blocks.append(PreBlock(cfg, self.relu, cin, width, stride, s + j == 0) if self.pre else Block(cfg, self.relu, cin, width, stride))
                cin = blocks[-1].cout
            setattr(self, f"layer{s + 1}", nn.Sequential(*blocks))
        self.bn1 = nn.BatchNorm2d(cin if self.pre else stem)
        self.fc = nn.Linear(cin, classes)

    def relu(self, x):
        if not x.is_meta:
            self.margin = min(self.margin, x.abs().min().item())
        return F.relu(x)

    def forward(self, x):
        if self.cfg.get("deep"):
            for m in self.conv1:
                x = self.relu(x) if isinstance(m, nn.ReLU) else m(x)
        else:
            x = self.conv1(x)
        if not self.pre:
            x = self.relu(self.bn1(x))
        if self.cfg.get("deep") or self.cfg.get("large"):
            x = F.max_pool2d(x, 3, 2, ceil_mode=True) if self.cfg.get("caffe") else F.max_pool2d(x, 3, 2, 1)
        for s in range(len(self.cfg["widths"])):
            x = getattr(self, f"layer{s + 1}")(x)
        if self.pre:
            x = self.relu(self.bn1(x))
        return self.fc(x.mean((2, 3)))


def op_cases():
    """As generate.op_cases."""
    def grouped(name, n, c, h, w, k, size, stride, groups):
        f = lambda x, w: F.conv2d(x, w, None, stride, size // 2, groups=groups)
        return (f"conv/{name}", "conv", dict(stride=stride, pad_h=size // 2, pad_w=size // 2, groups=groups), dict(x=(n, c, h, w), w=(k, c // groups, size, size)), f)

    return [
        grouped("groups-of-4", 2, 16, 7, 8, 16, 3, 1, 4),
        grouped("groups-of-4-stride2", 2, 24, 7, 6, 24, 3, 2, 6),
        grouped("groups-of-8-stride2", 1, 32, 8, 9, 32, 3, 2, 4),
        grouped("groups-of-32", 1, 64, 5, 5, 64, 3, 1, 2),
        grouped("groups-of-5-to-3", 2, 10, 6, 5, 6, 3, 1, 2),
        grouped("depthwise", 2, 7, 6, 6, 7, 3, 1, 7),
        ("excite", "excite", {}, dict(x=(2, 5, 4, 3), s=(2, 5)), lambda x, s: x * s.sigmoid()[:, :, None, None]),
    ]


# ------------------------------------------------------------------------------------------------- counts

CIFAR = dict(widths=[64, 128, 256, 512])
FULL = {
    "resnet18-3x3": dict(kind="basic", depths=[2, 2, 2, 2], **CIFAR),
    "resnet34-3x3": dict(kind="basic", depths=[3, 4, 6, 3], **CIFAR),
    "resnet50-3x3": dict(kind="bottleneck", depths=[3, 4, 6, 3], **CIFAR),
    "resnet101-3x3": dict(kind="bottleneck", depths=[3, 4, 23, 3], **CIFAR),
    "resnet152-3x3": dict(kind="bottleneck", depths=[3, 8, 36, 3], **CIFAR),
    "wrn-16-8": dict(kind="pre-basic", stem=16, widths=[128, 256, 512], depths=[2, 2, 2]),
    "wrn-28-10": dict(kind="pre-basic", stem=16, widths=[160, 320, 640], depths=[4, 4, 4]),
    "wrn-40-4": dict(kind="pre-basic", stem=16, widths=[64, 128, 256], depths=[6, 6, 6]),
    "preresnet110": dict(kind="pre-basic", option="A", stem=16, widths=[16, 32, 64], depths=[18, 18, 18]),
    "preresnet164": dict(kind="pre-bottleneck", stem=16, widths=[16, 32, 64], depths=[18, 18, 18]),
    "preresnet1001": dict(kind="pre-bottleneck", stem=16, widths=[16, 32, 64], depths=[111, 111, 111]),
    "seresnet50-caffe": dict(kind="bottleneck", depths=[3, 4, 6, 3], se=16, large=True, caffe=True, **CIFAR),
    "seresnet101-caffe": dict(kind="bottleneck", depths=[3, 4, 23, 3], se=16, large=True, caffe=True, **CIFAR),
    "seresnet152-caffe": dict(kind="bottleneck", depths=[3, 8, 36, 3], se=16, large=True, caffe=True, **CIFAR),
    "seresnext50_32x4d-caffe": dict(kind="bottleneck", depths=[3, 4, 6, 3], se=16, groups=32, widen=2, large=True, caffe=True, **CIFAR),
}
TORCHVISION = ["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"]
TIMM = ["resnet18d", "resnet34d", "resnet50d", "resnet101d", "resnet152d", "seresnet18", "seresnet34", "seresnet50", "seresnet101", "seresnet152", "seresnext50_32x4d"]


def count(net, size):
    """Parameters, and the multiply-adds of convolutions and fully connected layers as they run."""
    macs = 0

    def hook(m, _, out):
        nonlocal macs
        macs += out[0].numel() * m.weight[0].numel()

    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            m.register_forward_hook(hook)
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, size, size, device="meta"))
    return sum(p.numel() for p in net.parameters()), macs


def counts():
    import timm
    import torchvision
    print("# Exact counts of the variants, counted in PyTorch as the nets run (testdata/parity/variants.py), apart from this code. source: whose network was counted;")
    print("# own is that script's. macs: multiply-adds of convolutions and fully connected layers, one image of the row's size in evaluation.")
    with torch.device("meta"):
        for name, cfg in FULL.items():
            large = cfg.get("large")
            params, macs = count(Net(cfg, 1000 if large else 10), 224 if large else 32)
            print(f"{name}: {{params: {params}, macs: {macs}, source: own}}")
        for name in TORCHVISION:
            print("{}: {{params: {}, macs: {}, source: torchvision {}}}".format(name, *count(getattr(torchvision.models, name)(), 224), torchvision.__version__))
        for name in TIMM:
            print("{}: {{params: {}, macs: {}, source: timm {}}}".format(name, *count(timm.create_model(name), 224), timm.__version__))


class NearKink(Exception):
    pass


def clear_of_kinks(train):
    """generate.train, refusing a run in float64 in which an activation comes so near to a kink that rounding to float32 could cross it."""
    def f(*args):
        losses, net = train(*args)
        if args[-1] == torch.float64 and net.margin < 2e-6:
            raise NearKink
        return losses, net
    return f


def case(cfg, seed):
    try:
        return generate.net_case(cfg, seed)
    except NearKink:
        return None


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    HERE.mkdir(exist_ok=True)
    generate.make, generate.train = Net, clear_of_kinks(generate.train)
    manifest = {"script": "testdata/parity/variants.py", "torch": torch.__version__, "precision": "float64, rounded to float32", "steps": generate.STEPS, "batches": generate.BATCHES,
                "momentum": generate.MOMENTUM, "weight_decay": generate.WEIGHT_DECAY, "nets": [], "ops": {}}
    for cfg in NETS:
        seed, tensors = 1, None
        while (tensors := case(cfg, seed)) is None:
            seed += 1
            if seed > 4000:
                raise SystemExit(f"{cfg['name']}: no seed keeps clear of the kinks")
        file = cfg["name"] + ".safetensors"
        manifest["nets"].append({"name": cfg["name"], "file": file, "seed": seed, "rate": cfg["rate"], "sha256": generate.write_safetensors(HERE / file, tensors)})
        print(file, "seed", seed, "losses", [round(v, 3) for v in tensors["losses"].tolist()[:: generate.STEPS - 1]], flush=True)
    tensors, cases = {}, []
    for seed, (name, op, params, shapes, f) in enumerate(op_cases(), 1):
        tensors.update(generate.op_case(name, shapes, f, params, seed))
        cases.append({"name": name, "op": op, "seed": seed, "params": params})
    manifest["ops"] = {"file": "ops.safetensors", "sha256": generate.write_safetensors(HERE / "ops.safetensors", tensors), "cases": cases}
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    counts() if sys.argv[1:] == ["counts"] else main()
