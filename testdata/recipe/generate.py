#!/usr/bin/env python3
"""Makes the fixtures of this folder: what PyTorch, torchvision and timm compute for the parts of a recipe.

    python3 testdata/recipe/generate.py

It needs PyTorch, torchvision, timm and Pillow ("versions" in each file says which they were) and writes, always the same for the
same versions,

    pixels.json       small images, and a digest of what each of torchvision's operations on PIL images makes of them
    mix.json          a batch, and what MixUp and CutMix with given parameters make of it and of its labels
    losses.json       losses and gradients: label smoothing, weights of classes, soft targets, binary cross-entropy
    optimizers.json   twelve updates of AdamW, LARS and LAMB, and the moving average of the weights
    schedule.json     rates of a linear warm-up followed by half a cosine
"""

import base64
import hashlib
import json
import pathlib

import numpy as np
import PIL
import timm.loss
import timm.optim
import timm.utils
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode, autoaugment, v2
from torchvision.transforms import functional as TF

HERE = pathlib.Path(__file__).parent
VERSIONS = {"torch": torch.__version__.split("+")[0], "torchvision": torchvision.__version__.split("+")[0], "timm": timm.__version__,
            "pillow": PIL.__version__}


def write(name, **content):
    (HERE / name).write_text(json.dumps({"versions": VERSIONS, **content}, separators=(",", ":")) + "\n")


def floats(t):
    return [float(x) for x in t.detach().flatten()]


# ---------------------------------------------------------------------------------------------------- pixels

def images():
    photo = Image.open(HERE.parent / "images" / "source.png").convert("RGB")
    rng = np.random.default_rng(7)
    yield "photo", photo.resize((24, 24), Image.BILINEAR)
    yield "wide", photo.resize((21, 13), Image.BILINEAR)
    yield "grey", photo.convert("L").resize((17, 17), Image.BILINEAR)
    yield "dark", Image.fromarray(rng.integers(30, 90, (16, 16, 3), dtype=np.uint8))
    yield "noise", Image.fromarray(rng.integers(0, 256, (19, 19, 3), dtype=np.uint8))
    yield "few", Image.fromarray((rng.integers(0, 3, (32, 32, 3)) * 100).astype(np.uint8))
    yield "flat", Image.new("RGB", (8, 8), (10, 200, 77))
    yield "tiny", Image.fromarray(rng.integers(0, 256, (2, 2, 3), dtype=np.uint8))


def planes(image):
    a = np.asarray(image)
    return (a[None] if a.ndim == 2 else a.transpose(2, 0, 1)).tobytes()


def apply(image, op, x):
    if op == "Hue":
        return TF.adjust_hue(image, x)
    return autoaugment._apply_op(image, op, x, interpolation=InterpolationMode.NEAREST, fill=None)


def space(ops):
    return [{"name": n, "magnitudes": [float(x) for x in m] if m.ndim else None, "signed": s} for n, (m, s) in ops.items()]


def pixels():
    trivial = autoaugment.TrivialAugmentWide()._augmentation_space(31)
    rand = {side: autoaugment.RandAugment()._augmentation_space(31, (side, side)) for side in (17, 32, 160, 224)}
    magnitudes = {}
    for ops in (trivial, *rand.values()):
        for name, (m, signed) in ops.items():
            for x in ([float(v) for v in m] if m.ndim else [0.0]):
                magnitudes.setdefault(name, set()).update((x, -x) if signed else (x,))
    magnitudes["Hue"] = {k / 40 for k in range(-20, 21)}
    magnitudes["Rotate"] |= {90.0, -90.0, 180.0, 0.1, 33.333, -179.9}
    for name in ("Brightness", "Color", "Contrast", "Sharpness"):
        magnitudes[name] |= {-1.0, 0.0, 1.5, 0.123}
    out = []
    for label, image in images():
        digests = {op: " ".join(hashlib.sha256(planes(apply(image, op, x))).hexdigest()[:6] for x in sorted(all)) for op, all in magnitudes.items()}
        out.append({"name": label, "c": len(image.getbands()), "h": image.height, "w": image.width,
                    "pixels": base64.b64encode(planes(image)).decode(), "digests": digests})
    write("pixels.json", magnitudes={op: sorted(all) for op, all in magnitudes.items()}, trivial=space(trivial), rand={str(s): space(ops) for s, ops in rand.items()}, images=out)


# ------------------------------------------------------------------------------------------------------- mix

def mix():
    g = torch.Generator().manual_seed(3)
    x = torch.randn(4, 2, 5, 5, generator=g)
    labels = torch.tensor([2, 0, 1, 2])
    out = {"x": floats(x), "shape": list(x.shape), "labels": labels.tolist(), "classes": 3, "mixup": [], "cutmix": []}
    for lam in (0.0, 0.3, 0.77, 1.0):
        t = v2.MixUp(num_classes=3)
        params = {"lam": lam, "labels": labels, "batch_size": 4}
        out["mixup"].append({"share": lam, "x": floats(t.transform(x, params)), "targets": floats(t._mixup_label(labels, lam=lam))})
    for box in ((0, 0, 5, 5), (1, 0, 4, 2), (2, 3, 2, 3), (4, 1, 5, 5)):
        t = v2.CutMix(num_classes=3)
        lam = float(1.0 - (box[2] - box[0]) * (box[3] - box[1]) / 25)
        params = {"box": box, "lam_adjusted": lam, "labels": labels, "batch_size": 4}
        out["cutmix"].append({"box": box, "share": lam, "x": floats(t.transform(x, params)), "targets": floats(t._mixup_label(labels, lam=lam))})
    write("mix.json", **out)


# ---------------------------------------------------------------------------------------------------- losses

def losses():
    g = torch.Generator().manual_seed(4)
    logits = (3 * torch.randn(6, 5, generator=g)).double()
    labels = torch.tensor([0, 4, 2, 2, 1, 3])
    weights = torch.tensor([0.5, 1.0, 2.0, 0.25, 1.5], dtype=torch.float64)
    soft = 0.7 * F.one_hot(labels, 5).double() + 0.3 * F.one_hot(labels.roll(1), 5).double()
    cases = []

    def case(name, f, **settings):
        z = logits.clone().requires_grad_()
        loss = f(z)
        loss.backward()
        cases.append({"name": name, "loss": float(loss), "grad": floats(z.grad), **settings})

    case("smoothing 0.1", lambda z: F.cross_entropy(z, labels, label_smoothing=0.1), smoothing=0.1)
    case("weights", lambda z: F.cross_entropy(z, labels, weight=weights), weights=floats(weights))
    case("weights and smoothing", lambda z: F.cross_entropy(z, labels, weight=weights, label_smoothing=0.2), smoothing=0.2, weights=floats(weights))
    case("mixed", lambda z: F.cross_entropy(z, soft), share=0.7)
    case("mixed and smoothing", lambda z: F.cross_entropy(z, soft, label_smoothing=0.1), smoothing=0.1, share=0.7)
    case("binary", lambda z: timm.loss.BinaryCrossEntropy(smoothing=0)(z, labels), binary=True)
    case("binary and smoothing", lambda z: timm.loss.BinaryCrossEntropy(smoothing=0.1)(z, labels), binary=True, smoothing=0.1)
    case("binary and mixed", lambda z: timm.loss.BinaryCrossEntropy(smoothing=0)(z, soft), binary=True, share=0.7)
    write("losses.json", logits=floats(logits), labels=labels.tolist(), classes=5, cases=cases)


# ------------------------------------------------------------------------------------------------ optimizers

def optimizers():
    g = torch.Generator().manual_seed(5)
    shapes = {"a": [3, 2], "b": [5]}
    draw = lambda shape: torch.randn(shape, generator=g).to(torch.float32).to(torch.float64)
    start = {n: draw(s) for n, s in shapes.items()}
    grads = [{n: draw(s) for n, s in shapes.items()} for _ in range(12)]
    cases = []
    for c in (dict(name="adamw", beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, rate=0.01),
              dict(name="adamw", beta1=0.8, beta2=0.95, epsilon=1e-3, weight_decay=0.3, rate=0.03),
              dict(name="lars", momentum=0.9, weight_decay=0.05, trust=0.001, epsilon=1e-8, rate=2.0),
              dict(name="lars", momentum=0.9, nesterov=True, weight_decay=0.01, trust=0.02, epsilon=1e-8, rate=0.3),
              dict(name="lars", momentum=0.0, weight_decay=0.0, trust=0.02, epsilon=1e-8, rate=0.05),
              dict(name="lamb", beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.02, rate=0.008),
              dict(name="lamb", beta1=0.8, beta2=0.95, epsilon=1e-3, weight_decay=0.0, rate=0.03),
              dict(name="lamb", beta1=0.9, beta2=0.999, epsilon=1e-6, weight_decay=0.02, rate=0.008, clip=1.0)):
        params = {n: torch.nn.Parameter(v.clone()) for n, v in start.items()}
        if c["name"] == "lars":
            opt = timm.optim.Lars(params.values(), lr=c["rate"], momentum=c["momentum"], weight_decay=c["weight_decay"],
                                  nesterov=c.get("nesterov", False), trust_coeff=c["trust"], eps=c["epsilon"])
        elif c["name"] == "lamb":
            opt = timm.optim.Lamb(params.values(), lr=c["rate"], betas=(c["beta1"], c["beta2"]), eps=c["epsilon"],
                                  weight_decay=c["weight_decay"], max_grad_norm=c.get("clip"))
        else:
            opt = torch.optim.AdamW(params.values(), lr=c["rate"], betas=(c["beta1"], c["beta2"]), eps=c["epsilon"], weight_decay=c["weight_decay"])
        model = torch.nn.ParameterDict(params)
        ema = timm.utils.ModelEmaV2(model, decay=0.9)
        for step in grads:
            for n, p in params.items():
                p.grad = step[n].clone()
            opt.step()
            ema.update(model)
        cases.append(c | {"end": {n: floats(p) for n, p in params.items()}, "ema": {n: floats(p) for n, p in ema.module.items()}})
    write("optimizers.json", shapes=shapes, start={n: floats(v) for n, v in start.items()},
          grads=[{n: floats(v) for n, v in s.items()} for s in grads], ema_decay=0.9, cases=cases)


# -------------------------------------------------------------------------------------------------- schedule

def schedule():
    cases = []
    for c in (dict(rate=0.5, start=0.005, warmup=5, total=20, min=0.0), dict(rate=0.1, start=0.05, warmup=3, total=11, min=0.001)):
        p = torch.nn.Parameter(torch.zeros(1))
        opt = torch.optim.SGD([p], lr=c["rate"])
        warm = torch.optim.lr_scheduler.LinearLR(opt, start_factor=c["start"] / c["rate"], total_iters=c["warmup"])
        main = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=c["total"] - c["warmup"], eta_min=c["min"])
        s = torch.optim.lr_scheduler.SequentialLR(opt, [warm, main], milestones=[c["warmup"]])
        rates = []
        for _ in range(c["total"]):
            rates.append(opt.param_groups[0]["lr"])
            opt.step()
            s.step()
        cases.append(c | {"rates": rates})
    write("schedule.json", cases=cases)


if __name__ == "__main__":
    pixels()
    mix()
    losses()
    optimizers()
    schedule()
