"""Times the variants of residual networks in PyTorch on this CPU: the peer of `make bench-peer` for them, and for networks that are trained in part.

    make bench-peer-variants bench-finetune PYTHON=python3
    python3 testdata/bench/torch_variants.py --arch resnext50_32x4d --imagenet --mode train --batch 16 --threads 2

Networks are those of testdata/parity/variants.py, which have torchvision's and timm's layers. A line of JSON is printed for each memory format.
A training step is zero_grad, forward, cross-entropy, backward and SGD with momentum 0.9 and weight decay 1e-4, on the same random batch each time;
inference is a forward pass of the network in evaluation, as it is or, with --jit, traced and frozen. With --trainable the other layers have
requires_grad=False and are in eval mode, and SGD has the parameters of the rest.
"""
import argparse
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

from timing import median_seconds, peak_rss_bytes

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))
import variants  # noqa: E402

p = argparse.ArgumentParser()
p.add_argument("--arch", required=True)
p.add_argument("--imagenet", action="store_true")
p.add_argument("--mode", choices=["train", "infer"], default="train")
p.add_argument("--batch", type=int, default=16)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--steps", type=int, default=7)
p.add_argument("--jit", action="store_true")
p.add_argument("--trainable", help="stages that are trained besides the classifier, with commas; head is none")
a = p.parse_args()
torch.set_num_threads(a.threads)

SIZES = dict(kind="bottleneck", widths=[64, 128, 256, 512], large=True)
CONFIGS = {
    **variants.FULL,
    "resnet18": dict(kind="basic", widths=[64, 128, 256, 512], depths=[2, 2, 2, 2], large=True),
    "resnet50": dict(depths=[3, 4, 6, 3], **SIZES),
    "resnext50_32x4d": dict(depths=[3, 4, 6, 3], groups=32, widen=2, **SIZES),
    "wide_resnet50_2": dict(depths=[3, 4, 6, 3], widen=2, **SIZES),
    "seresnet50": dict(depths=[3, 4, 6, 3], se=16, **SIZES),
    "resnet50d": dict(depths=[3, 4, 6, 3], deep=True, avg_down=True, **SIZES),
}


class Net(variants.Net):
    def relu(self, x):
        return F.relu(x, inplace=True)


for form in (torch.contiguous_format, torch.channels_last):
    torch.manual_seed(0)
    large = a.imagenet
    net = Net(CONFIGS[a.arch], 1000 if large else 10).to(memory_format=form)
    size = 224 if large else 32
    x = torch.randn(a.batch, 3, size, size).to(memory_format=form)
    labels = torch.randint(0, 1000 if large else 10, (a.batch,))
    if a.mode == "train":
        if a.trainable:
            trained = {"fc", *a.trainable.split(",")}
            for name, part in net.named_children():
                if name not in trained:
                    part.requires_grad_(False).eval()
        opt = torch.optim.SGD([w for w in net.parameters() if w.requires_grad], lr=0.01, momentum=0.9, weight_decay=1e-4)

        def step():
            opt.zero_grad(set_to_none=True)
            F.cross_entropy(net(x), labels).backward()
            opt.step()
    else:
        net.eval()
        run = torch.jit.freeze(torch.jit.trace(net, x)) if a.jit else net

        def step():
            with torch.inference_mode():
                run(x)
    seconds = median_seconds(step, a.steps)
    print(json.dumps({"peer": f"PyTorch {torch.__version__}", "arch": a.arch, "mode": a.mode, "format": str(form)[6:], "images_per_second": a.batch / seconds,
                      "peak_rss_bytes": peak_rss_bytes()}), flush=True)
