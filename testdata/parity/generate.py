#!/usr/bin/env python3
"""Makes the fixtures of this folder: what PyTorch computes for our operators and small networks.

    python3 testdata/parity/generate.py

It needs PyTorch (CPU is enough; manifest.json names the version that was used) and writes, always the same for the same version,

    NET.safetensors     one for each row of NETS (baselines.py has those that are not residual): initial values, a batch, and for it the logits, the loss, every gradient, the updated running
                        statistics and the logits in evaluation; then the losses of STEPS steps of SGD on a few fixed batches
    ops.safetensors     inputs, outputs and gradients of single operators
    manifest.json       versions, seeds, parameters of each case, checksums

Inputs are float32 values and everything is computed from them in float64 and rounded at the end, so that a difference
is ours. A seed is used only if no activation is so near to a kink (of a ReLU) that rounding could cross it, and if PyTorch's own float32 run
follows the float64 trajectory closely.
"""

import hashlib
import json
import pathlib
import struct

import torch
import torch.nn.functional as F
from torch import nn

import baselines

HERE = pathlib.Path(__file__).parent
STEPS, BATCHES = 20, 3
MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4
KINK = 5e-5  # no pre-activation of a recorded gradient may be nearer to zero
DRIFT = 1e-4  # largest relative difference of PyTorch's float32 losses from float64 ones

# Names are rows of internal/blocks/table.go; the fields say the same as the row, in words of this script.
NETS = [
    dict(name="tiny-plain", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="none", size=9, n=6, rate=0.05),
    dict(name="tiny-a", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="A", size=9, n=6, rate=0.1),
    dict(name="tiny-a-end", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="A", pad_end=True, size=8, n=7, rate=0.1),
    dict(name="tiny-b", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="B", size=9, n=6, rate=0.1),
    dict(name="tiny-c", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="C", size=8, n=6, rate=0.05),
    dict(name="tiny-bottleneck", block="bottleneck", widths=[3, 6], depths=[2, 1], shortcut="B", size=9, n=6, rate=0.05),
    dict(name="tiny-bottleneck-v1.5", block="bottleneck", widths=[4, 8], depths=[2, 1], shortcut="B", v15=True, size=8, n=6, rate=0.05),
    dict(name="tiny-bottleneck-a", block="bottleneck", widths=[3, 6], depths=[2, 1], shortcut="A", size=9, n=6, rate=0.05),
    dict(name="tiny-bottleneck-c", block="bottleneck", widths=[3, 6], depths=[2, 1], shortcut="C", size=8, n=6, rate=0.05),
    dict(name="tiny-caffe", block="bottleneck", widths=[4, 6], depths=[2, 1], shortcut="B", stem7=True, caffe=True, size=24, n=5, rate=0.05),
    dict(name="tiny-imagenet-stem", block="basic", widths=[6, 12], depths=[2, 1], shortcut="B", stem7=True, size=21, n=4, rate=0.05),
    dict(name="tiny-wide", block="basic", widths=[16, 32], depths=[1, 1], shortcut="A", size=16, n=3, rate=0.05),
    dict(name="tiny-wide-b", block="basic", widths=[16, 32], depths=[1, 1], shortcut="B", size=12, n=4, rate=0.05),
    dict(name="tiny-a-sigmoid-stem5", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="A", activation="sigmoid", stem=5, size=9, n=6, rate=0.1),
    dict(name="tiny-b-elu", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="B", activation="elu", size=9, n=6, rate=0.05),
    dict(name="tiny-plain-sigmoid-nobn", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="none", activation="sigmoid", nobn=True, size=9, n=6, rate=0.1),
    dict(name="tiny-c-nobn-stem7", block="basic", widths=[5, 10, 20], depths=[1, 1, 1], shortcut="C", nobn=True, stem=7, size=8, n=6, rate=0.01),
    dict(name="tiny-bottleneck-elu-nobn", block="bottleneck", widths=[3, 6], depths=[2, 1], shortcut="B", activation="elu", nobn=True, size=9, n=6, rate=0.01),
    dict(name="tiny-imagenet-stem-sigmoid-stem3", block="basic", widths=[6, 12], depths=[2, 1], shortcut="B", stem7=True, activation="sigmoid", stem=3, size=21, n=4, rate=0.05),
    dict(name="tiny-vgg", body=True, size=14, n=5, rate=0.02),
    dict(name="tiny-vggbn", body=True, size=12, n=6, rate=0.02),
    dict(name="tiny-googlenet", body=True, size=41, n=2, rate=0.02),
    dict(name="tiny-googlenet-bn", body=True, size=21, n=4, rate=0.02),
    dict(name="tiny-bn-inception", body=True, size=15, n=6, rate=0.02),
    dict(name="tiny-slim", body=True, size=32, n=3, rate=0.02),
    dict(name="tiny-prelu-net", body=True, size=24, n=5, rate=0.02),
]


# ------------------------------------------------------------------------------------------------- networks

class Block(nn.Module):
    """A basic or bottleneck block; the names of its parts are torchvision's."""

    def __init__(self, net, cin, width, stride):
        super().__init__()
        self.net, self.stride = net, stride
        if net.cfg["block"] == "basic":
            cout = width
            shapes = [(cin, width, 3, stride), (width, width, 3, 1)]
        else:
            cout = 4 * width
            first, second = (1, stride) if net.cfg.get("v15") else (stride, 1)
            shapes = [(cin, width, 1, first), (width, width, 3, second), (width, cout, 1, 1)]
        self.count = len(shapes)
        for i, (a, b, k, s) in enumerate(shapes, 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, k, s, k // 2, bias=net.bare))
            setattr(self, f"bn{i}", net.norm(b))
        self.cin, self.cout = cin, cout
        self.changes = stride != 1 or cin != cout
        option = net.cfg["shortcut"]
        if option == "C" or (option == "B" and self.changes):
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=net.bare), net.norm(cout))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = self.net.relu(y)
        option = self.net.cfg["shortcut"]
        if option == "none":
            return self.net.relu(y)
        if hasattr(self, "downsample"):
            x = self.downsample(x)
        elif self.changes:
            x = x[:, :, :: self.stride, :: self.stride]
            extra = self.cout - self.cin
            before = 0 if self.net.cfg.get("pad_end") else extra // 2
            x = F.pad(x, (0, 0, 0, 0, before, extra - before))
        return self.net.relu(y + x)


class Net(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg, self.margin = cfg, float("inf")
        w = cfg["widths"]
        self.bare = cfg.get("nobn", False)
        kernel, stride = (7, 2) if cfg.get("stem7") else (3, 1)
        kernel = cfg.get("stem", kernel)
        self.conv1 = nn.Conv2d(3, w[0], kernel, stride, kernel // 2, bias=self.bare)
        self.bn1 = self.norm(w[0])
        cin = w[0]
        for s, (width, depth) in enumerate(zip(w, cfg["depths"])):
            blocks = []
            for j in range(depth):
                blocks.append(Block(self, cin, width, 2 if s > 0 and j == 0 else 1))
                cin = blocks[-1].cout
            setattr(self, f"layer{s + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(cin, 10)

    def norm(self, width):
        return nn.Identity() if self.bare else nn.BatchNorm2d(width)

    def relu(self, x):
        """The activation of the net; the others have no kink (ELU's slope is 1 on both sides of 0)."""
        if "activation" in self.cfg:
            return {"sigmoid": torch.sigmoid, "elu": F.elu}[self.cfg["activation"]](x)
        self.margin = min(self.margin, x.abs().min().item())
        return F.relu(x)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        if self.cfg.get("stem7"):
            x = F.max_pool2d(x, 3, 2, ceil_mode=True) if self.cfg.get("caffe") else F.max_pool2d(x, 3, 2, 1)
        for s in range(len(self.cfg["widths"])):
            x = getattr(self, f"layer{s + 1}")(x)
        return self.fc(x.mean((2, 3)))


# Sequential registers the parent again through Block.net; keep it out of the module tree.
Block.__setattr__ = lambda self, k, v: object.__setattr__(self, k, v) if k == "net" else nn.Module.__setattr__(self, k, v)


def make(cfg):
    return baselines.tiny(cfg["name"]) if cfg.get("body") else Net(cfg)


def run(net, x):
    """The logits, and those of auxiliary classifiers with the weights of their losses."""
    out = net(x)
    return out if isinstance(out, tuple) else (out, [])


def loss_of(net, x, labels):
    """The logits, and the loss with that of auxiliary classifiers."""
    logits, on_the_way = run(net, x)
    return logits, F.cross_entropy(logits, labels) + sum(w * F.cross_entropy(a, labels) for w, a in on_the_way)


def single(t):
    """Rounds to float32 values, kept in float64."""
    return t.float().double()


def initialise(net, g):
    """He et al. 2015 for convolutions; everything else is random too, so that no gradient is trivial."""
    slopes = {f"{name}.weight" for name, m in net.named_modules() if isinstance(m, nn.PReLU)}
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            r = torch.randn(t.shape, generator=g, dtype=torch.float64)
            if t.dim() == 4:  # sigmoids, too: what the values are makes no difference here
                v = r * (2.0 / (t.shape[1] * t.shape[2] * t.shape[3])) ** 0.5
            elif t.dim() == 2:
                v = r / t.shape[1] ** 0.5
            elif name in slopes:
                v = 0.25 + 0.05 * r
            elif name.endswith("running_var"):
                v = 1 + 0.2 * r.abs()
            elif name.endswith("weight"):  # gamma
                v = 1 + 0.2 * r.clamp(-2, 2)
            else:  # beta, fc.bias, running_mean
                v = 0.1 * r
            t.copy_(single(v))


def train(cfg, start, xs, labels, dtype):
    """STEPS steps of SGD over the batches in turn; the losses and the net."""
    net = make(cfg).to(dtype)
    net.load_state_dict(start)
    opt = torch.optim.SGD(net.parameters(), lr=cfg["rate"], momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    losses = []
    for i in range(STEPS):
        opt.zero_grad()
        _, loss = loss_of(net, xs[i % BATCHES].to(dtype), labels[i % BATCHES])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses, net


def net_case(cfg, seed):
    """The tensors of one net, or None where the seed brings an activation too near to a kink."""
    g = torch.Generator().manual_seed(seed)
    net = make(cfg).double()
    initialise(net, g)
    xs = single(torch.randn(BATCHES, cfg["n"], 3, cfg["size"], cfg["size"], generator=g, dtype=torch.float64))
    labels = torch.randint(0, 10, (BATCHES, cfg["n"]), generator=g)
    start = {k: v.clone() for k, v in net.state_dict().items()}
    kept = {k: v for k, v in start.items() if not k.endswith("num_batches_tracked")}

    logits, loss = loss_of(net, xs[0], labels[0])
    loss.backward()
    if net.margin < KINK:
        return None
    out = {f"init/{k}": v for k, v in kept.items()}
    out.update({"x": xs, "labels": labels.int(), "logits": logits, "loss": loss.reshape(1)})
    out.update({f"grad/{k}": p.grad for k, p in net.named_parameters()})
    out.update({f"stats/{k}": v.clone() for k, v in net.state_dict().items() if "running" in k})
    net.eval()
    out["eval_logits"] = run(net, xs[1])[0]  # with the updated statistics, first weights
    losses, trained = train(cfg, start, xs, labels, torch.float64)
    single_losses, _ = train(cfg, start, xs, labels, torch.float32)
    drift = max(abs(a - b) / abs(a) for a, b in zip(losses, single_losses))
    if drift > DRIFT:
        return None
    trained.eval()
    out["losses"] = torch.tensor(losses, dtype=torch.float64)
    out["trained_logits"] = run(trained, xs[0])[0]
    return out


# ------------------------------------------------------------------------------------------------- operators

def op_cases():
    """(name, operator, parameters, shapes of the inputs in order, function of them) for each case."""
    def conv(name, n, c, h, w, k, r, s, stride, ph, pw, bias=False):
        shapes = dict(x=(n, c, h, w), w=(k, c, r, s))
        if bias:
            shapes["b"] = (k,)
        return (f"conv/{name}", "conv", dict(stride=stride, pad_h=ph, pad_w=pw, bias=bias), shapes,
                lambda x, w, b=None: F.conv2d(x, w, b, stride, (ph, pw)))

    def pool(kind, name, shape, k, s, p, ceil=False, include=True):
        f = {"maxpool": lambda x: F.max_pool2d(x, k, s, p, ceil_mode=ceil),
             "avgpool": lambda x: F.avg_pool2d(x, k, s, p, ceil_mode=ceil, count_include_pad=include)}[kind]
        params = dict(kernel=k, stride=s, pad=p, ceil=ceil)
        if kind == "avgpool":
            params["count_include_pad"] = include
        return (f"{kind}/{name}", kind, params, dict(x=shape), f)

    def lrn(name, shape, size, alpha, beta, k):
        return (f"lrn/{name}", "lrn", dict(size=size, alpha=alpha, beta=beta, k=k), dict(x=shape),
                lambda x: F.local_response_norm(x, size, alpha, beta, k))

    def bn_train(eps):
        return lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, True, 0.0, eps)

    def bn_eval(eps):
        return lambda x, gamma, beta, mean, var: F.batch_norm(x, mean, var, gamma, beta, False, 0.0, eps)

    cases = [
        conv("3x3", 2, 5, 9, 11, 7, 3, 3, 1, 1, 1),
        conv("3x3-unpadded-bias", 2, 4, 6, 7, 5, 3, 3, 1, 0, 0, True),
        conv("3x3-wide", 1, 16, 12, 12, 16, 3, 3, 1, 1, 1),
        conv("3x3-wide-bias", 1, 32, 8, 8, 16, 3, 3, 1, 1, 1, True),
        conv("3x3-stride2-even", 2, 16, 8, 8, 16, 3, 3, 2, 1, 1),
        conv("3x3-stride2-odd", 3, 6, 9, 7, 5, 3, 3, 2, 1, 1, True),
        conv("1x1", 2, 12, 5, 6, 20, 1, 1, 1, 0, 0),
        conv("1x1-stride2", 2, 8, 7, 8, 16, 1, 1, 2, 0, 0),
        conv("7x7-stride2", 1, 3, 19, 17, 16, 7, 7, 2, 3, 3, True),
        conv("2x2-stride2", 2, 4, 7, 6, 6, 2, 2, 2, 0, 0),
        conv("4x4-padded", 2, 3, 7, 8, 5, 4, 4, 1, 1, 1),
        conv("5x3", 2, 3, 8, 6, 4, 5, 3, 1, 2, 1, True),
        conv("3x3-stride3", 1, 4, 10, 11, 3, 3, 3, 3, 1, 1),
        conv("1x1-image-of-one", 3, 7, 1, 1, 9, 1, 1, 1, 0, 0, True),
        ("batchnorm/train", "batchnorm", dict(eps=1e-5, mode="train"),
         dict(x=(3, 5, 4, 3), gamma=(5,), beta=(5,)), bn_train(1e-5)),
        ("batchnorm/train-wide", "batchnorm", dict(eps=1e-5, mode="train"),
         dict(x=(2, 16, 6, 6), gamma=(16,), beta=(16,)), bn_train(1e-5)),
        ("batchnorm/train-large-mean", "batchnorm", dict(eps=1e-3, mode="train"),
         dict(x=(4, 3, 3, 3), gamma=(3,), beta=(3,)), bn_train(1e-3)),
        ("batchnorm/eval", "batchnorm", dict(eps=1e-5, mode="eval"),
         dict(x=(2, 6, 3, 5), gamma=(6,), beta=(6,), mean=(6,), var=(6,)), bn_eval(1e-5)),
        ("relu", "relu", {}, dict(x=(2, 3, 5, 5)), F.relu),
        ("sigmoid", "sigmoid", {}, dict(x=(2, 3, 4, 5)), torch.sigmoid),
        ("elu/1", "elu", dict(alpha=1.0), dict(x=(2, 3, 4, 5)), lambda x: F.elu(x, 1.0)),
        ("elu/0.3", "elu", dict(alpha=0.3), dict(x=(2, 3, 4, 5)), lambda x: F.elu(x, 0.3)),
        ("prelu", "prelu", {}, dict(x=(2, 5, 4, 3), slope=(5,)), F.prelu),
        pool("maxpool", "3x3-stride2-pad1", (2, 3, 8, 9), 3, 2, 1),
        pool("maxpool", "2x2", (2, 3, 6, 7), 2, 2, 0),
        pool("maxpool", "3x3-ceil", (2, 3, 8, 10), 3, 2, 0, ceil=True),
        pool("maxpool", "2x2-pad1-ceil-drops-the-last", (2, 2, 5, 6), 2, 2, 1, ceil=True),
        pool("maxpool", "3x3-overlapping", (1, 4, 6, 5), 3, 1, 1),
        pool("avgpool", "2x2", (2, 3, 6, 7), 2, 2, 0),
        pool("avgpool", "3x3-stride2-pad1", (2, 3, 8, 9), 3, 2, 1),
        pool("avgpool", "3x3-ceil", (2, 3, 8, 10), 3, 2, 0, ceil=True),
        pool("avgpool", "3x3-pad1-ceil", (2, 3, 6, 8), 3, 2, 1, ceil=True),
        pool("avgpool", "3x3-pad1-excluded", (2, 3, 7, 8), 3, 2, 1, include=False),
        ("gap", "gap", {}, dict(x=(3, 7, 5, 4)), lambda x: x.mean((2, 3))),
        ("linear/bias", "linear", dict(bias=True), dict(x=(5, 13), w=(10, 13), b=(10,)), F.linear),
        ("linear/plain", "linear", dict(bias=False), dict(x=(4, 16), w=(3, 16)), F.linear),
        ("concat", "concat", {}, dict(a=(2, 3, 4, 3), b=(2, 5, 4, 3)), lambda a, b: torch.cat([a, b], 1)),
        ("crossentropy/small", "crossentropy", dict(classes=10), dict(logits=(6, 10)), None),
        ("crossentropy/large-logits", "crossentropy", dict(classes=7), dict(logits=(5, 7)), None),
        lrn("googlenet", (2, 9, 3, 2), 5, 1e-4, 0.75, 1.0),
        lrn("strong", (2, 7, 3, 4), 5, 0.8, 0.75, 2.0),
        lrn("even-window", (1, 6, 2, 3), 4, 1.5, 0.5, 1.0),
        lrn("wider-than-the-channels", (2, 3, 2, 2), 7, 1.0, 1.0, 1.0),
        pool("maxpool", "3x3-stride2-ceil-pad1", (2, 3, 7, 8), 3, 2, 1, ceil=True),
        pool("avgpool", "5x5-stride3", (2, 4, 14, 14), 5, 3, 0),
        ("prelu/rows", "prelu", {}, dict(x=(4, 6), slope=(6,)), F.prelu),
        ("concat/four", "concat", {}, dict(a=(2, 3, 4, 3), b=(2, 5, 4, 3), c=(2, 1, 4, 3), d=(2, 4, 4, 3)),
         lambda a, b, c, d: torch.cat([a, b, c, d], 1)),
        ("flatten", "flatten", {}, dict(a=(3, 2, 4, 3)), lambda a: a.flatten(1)),
        ("flatten/pyramid", "flatten", {}, dict(a=(2, 3, 3, 3), b=(2, 3, 2, 2), c=(2, 3, 1, 1)),
         lambda a, b, c: torch.cat([a.flatten(1), b.flatten(1), c.flatten(1)], 1)),
    ]
    return cases


def op_inputs(case, shapes, g):
    """Random inputs away from the kinks of the pointwise operators."""
    inputs = {}
    for name, shape in shapes.items():
        t = torch.randn(shape, generator=g, dtype=torch.float64)
        if name == "var":
            t = 0.5 + t.abs()
        if case in ("relu", "prelu", "prelu/rows", "elu/1", "elu/0.3") and name == "x":
            t = t.sign() * (t.abs() + 1e-3)
        if case.endswith("large-mean") and name == "x":
            t = t + 30
        if case.endswith("large-logits"):
            t = t * 60
        inputs[name] = single(t).requires_grad_(name not in ("mean", "var"))
    return inputs


def op_case(name, shapes, f, params, seed):
    g = torch.Generator().manual_seed(seed)
    inputs = op_inputs(name, shapes, g)
    out = {}
    if f is None:  # cross-entropy: the mean over the batch
        logits = inputs["logits"]
        labels = torch.randint(0, params["classes"], (logits.shape[0],), generator=g)
        y = F.cross_entropy(logits, labels)
        y.backward()
        out["labels"], y = labels.int(), y.reshape(1)
    else:
        y = f(*inputs.values())
        if params.get("mode") != "eval":  # evaluation needs no gradients
            out["dy"] = single(torch.randn(y.shape, generator=g, dtype=torch.float64))
            y.backward(out["dy"])
    out["y"] = y
    for k, t in inputs.items():
        out[k] = t
        if t.grad is not None:
            out["d" + k] = t.grad
    return {f"{name}/{k}": v for k, v in out.items()}


# ------------------------------------------------------------------------------------------------- files

def write_safetensors(path, tensors):
    """The published format: u64 length, JSON header, raw little-endian data in the header's order."""
    header, data = {}, bytearray()
    for name, t in tensors.items():
        t = t.detach().contiguous()
        kind = "I32" if t.dtype == torch.int32 else "F32"
        raw = struct.pack(f"<{t.numel()}{'i' if kind == 'I32' else 'f'}", *t.flatten().tolist())
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    manifest = {"script": "testdata/parity/generate.py", "torch": torch.__version__, "precision": "float64, rounded to float32",
                "steps": STEPS, "batches": BATCHES, "momentum": MOMENTUM, "weight_decay": WEIGHT_DECAY, "nets": [], "ops": {}}
    for cfg in NETS:
        seed, tensors = 1, None
        while (tensors := net_case(cfg, seed)) is None:
            seed += 1
            if seed > 2000:
                raise SystemExit(f"{cfg['name']}: no seed keeps clear of the kinks")
        file = cfg["name"] + ".safetensors"
        digest = write_safetensors(HERE / file, tensors)
        manifest["nets"].append({"name": cfg["name"], "file": file, "seed": seed, "rate": cfg["rate"], "sha256": digest})
        print(file, "seed", seed, "losses", [round(v, 3) for v in tensors["losses"].tolist()[:: STEPS - 1]])
    tensors, cases = {}, []
    for seed, (name, op, params, shapes, f) in enumerate(op_cases(), 1):
        tensors.update(op_case(name, shapes, f, params, seed))
        cases.append({"name": name, "op": op, "seed": seed, "params": params})
    manifest["ops"] = {"file": "ops.safetensors", "sha256": write_safetensors(HERE / "ops.safetensors", tensors), "cases": cases}
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
