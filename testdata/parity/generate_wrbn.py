"""Writes PyTorch's answers for small Wide Residual BLSTM Networks: forward, loss and every gradient, on utterances of several lengths.

    python testdata/parity/generate_wrbn.py

The network is written here from its published description, apart from the Go code. Every utterance goes through by itself, without padding; only the
loss joins them. Computed in float64 and rounded to float32. Needs PyTorch; the tests need the files alone.
"""

import pathlib

import torch
import torch.nn.functional as F

from generate import write_safetensors

HERE = pathlib.Path(__file__).parent
FEATURES, STEM, DEPTHS, WIDTHS, UNITS, DENSE, CLASSES = 9, 4, [1, 2], [5, 7], 3, 8, 6
LENGTHS, FRAMES, EPS = [12, 7, 9], 12, 1e-5


def parameters(plain, g):
    p = {}

    def add(name, *shape, scale=1.0, base=0.0):
        t = base + scale * torch.randn(shape, generator=g, dtype=torch.float64)
        p[name] = t.float().double().requires_grad_()

    def norm(name, c):
        add(name + ".weight", c, scale=0.2, base=1)
        add(name + ".bias", c, scale=0.2)

    def conv(name, out, inp, k):
        add(name + ".weight", out, inp, k, k, scale=(2 / (inp * k * k)) ** 0.5)

    conv("conv1", STEM, 3, 3)
    c = STEM
    for i, width in enumerate(WIDTHS):
        for j in range(DEPTHS[i]):
            scope = f"layer{i + 1}.{j}."
            norm(scope + "bn1", c)
            conv(scope + "conv1", width, c, 3)
            norm(scope + "bn2", width)
            conv(scope + "conv2", width, width, 3)
            if not plain and (c != width or (i > 0 and j == 0)):
                conv(scope + "downsample", width, c, 1)
            c = width
    norm("bn", c)
    rows = FEATURES
    for _ in range(len(WIDTHS)):
        rows = (rows + 1) // 2
    add("pooler.weight", rows, scale=0.5)
    add("pooler.bias", 1, scale=0.5)
    for i, out in enumerate([UNITS, 2 * UNITS]):
        for d in ("forward", "backward"):
            scope = f"blstm.{i}.{d}."
            conv(scope + "input", 4 * UNITS, c, 1)
            norm(scope + "bn", 4 * UNITS)
            add(scope + "hidden.weight", 4 * UNITS, UNITS, scale=0.5)
        c = out
    conv("classifier.0", DENSE, c, 1)
    norm("classifier.bn", DENSE)
    conv("classifier.1", CLASSES, DENSE, 1)
    add("classifier.1.bias", CLASSES, scale=0.2)
    return p


def utterance_norm(x, p, name):
    axes = (1, 2)
    mean, var = x.mean(axes, keepdim=True), x.var(axes, unbiased=False, keepdim=True)
    return p[name + ".weight"][:, None, None] * (x - mean) / (var + EPS).sqrt() + p[name + ".bias"][:, None, None]


def lstm(x, w, reverse):
    """x [4U, T] in the order a, i, f, o; w [4U, U]; the hidden states [U, T]."""
    h, c, out = x.new_zeros(UNITS), x.new_zeros(UNITS), [None] * x.shape[1]
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        a, i, f, o = (x[:, t] + w @ h).split(UNITS)
        c = f.sigmoid() * c + i.sigmoid() * a.tanh()
        h = o.sigmoid() * c.tanh()
        out[t] = h
    return torch.stack(out, 1)


def forward(x, p, plain):
    """x [3, F, T], one utterance without padding; logits [T, CLASSES]."""
    def conv(name, v, stride=1):
        w = p[name + ".weight"]
        return F.conv2d(v[None], w, stride=(stride, 1), padding=w.shape[-1] // 2)[0]

    def act(name, v):
        return F.elu(utterance_norm(v, p, name))

    x = conv("conv1", x, 2)
    for i, width in enumerate(WIDTHS):
        for j in range(DEPTHS[i]):
            scope, stride = f"layer{i + 1}.{j}.", 2 if i > 0 and j == 0 else 1
            n = act(scope + "bn1", x)
            h = conv(scope + "conv2", act(scope + "bn2", conv(scope + "conv1", n, stride)))
            if plain:
                x = h
            elif scope + "downsample.weight" in p:
                x = h + conv(scope + "downsample", n, stride)
            else:
                x = h + x
    x = act("bn", x)
    x = F.elu(torch.einsum("cft,f->ct", x, p["pooler.weight"]) + p["pooler.bias"])
    for i in range(2):
        h = []
        for d in ("forward", "backward"):
            scope = f"blstm.{i}.{d}."
            gates = utterance_norm(conv(scope + "input", x[:, None, :]), p, scope + "bn")[:, 0]
            h.append(lstm(gates, p[scope + "hidden.weight"], d == "backward"))
        x = h[0] + h[1] if i == 0 else torch.cat(h)
    x = act("classifier.bn", conv("classifier.0", x[:, None, :]))
    return conv("classifier.1", x)[:, 0].T + p["classifier.1.bias"]


def case(plain, utterances, seed):
    g = torch.Generator().manual_seed(seed)
    p = parameters(plain, g)
    x = torch.randn(len(LENGTHS), 3, FEATURES, FRAMES, generator=g, dtype=torch.float64).float().double()
    for n, length in enumerate(LENGTHS):
        x[n, :, :, length:] = 0
    logits = [forward(x[n, :, :, :length], p, plain) for n, length in enumerate(LENGTHS)]
    if utterances:
        labels = torch.randint(0, CLASSES, (len(LENGTHS),), generator=g)
        y = torch.stack([v.mean(0) for v in logits])
        loss = F.cross_entropy(y, labels)
    else:
        labels = torch.randint(-1, CLASSES, (len(LENGTHS), FRAMES), generator=g)
        for n, length in enumerate(LENGTHS):
            labels[n, length:] = -1
        y = torch.cat(logits)
        loss = F.cross_entropy(y, torch.cat([labels[n, :length] for n, length in enumerate(LENGTHS)]), ignore_index=-1)
    loss.backward()
    out = {"x": x, "labels": labels.flatten().int(), "logits": y, "loss": loss.reshape(1), "lengths": torch.tensor(LENGTHS, dtype=torch.int32)}
    for name, t in p.items():
        out["param/" + name] = t
        out["grad/" + name] = t.grad
    return out


if __name__ == "__main__":
    for name, plain, utterances in (("wrbn-frame", False, False), ("wrbn-plain-frame", True, False), ("wrbn-utterance", False, True)):
        write_safetensors(HERE / (name + ".safetensors"), case(plain, utterances, 1))
