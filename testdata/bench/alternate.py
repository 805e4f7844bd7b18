"""Times `resnet bench` and a peer in turn on the same machine, and prints the ratio of their speeds.

    python3 alternate.py --binary bin/resnet --peer torch_bench.py --arch resnet20,resnet56 --mode train,infer --rounds 5
    python3 alternate.py --binary bin/resnet --peer torch_variants.py --imagenet --arch resnet18 --batch 16 --mode train --trainable head
    python3 alternate.py --binary bin/resnet --imagenet --arch resnet18 --batch 16 --mode train --trainable layer4

The peer is a Python script with the flags --arch, --mode, --batch, --threads, --steps and, for inference, --jit; it prints JSON lines with
images_per_second and peak_rss_bytes, one for each of its own settings. Its best setting of a round counts; for inference it runs with and
without --jit. With --imagenet the peer has that flag too and its networks are torchvision's: resnet50v1.5 here is resnet50 there. The two take turns because a shared machine speeds up and slows down: only ratios of neighbours mean anything.
With --trainable a part of the network is trained, here and in the peer; with --features ours trains on kept features. Without a --peer the two are our binary with these flags and without.
Prints a line for each network and mode: medians, ranges, and the median of the rounds' ratios.
"""
import argparse
import json
import statistics
import subprocess
import sys

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--binary", required=True)
p.add_argument("--peer")
p.add_argument("--trainable", help="stages that are trained besides the classifier, with commas; head is none")
p.add_argument("--features", action="store_true", help="with --trainable: features of the layers below have been computed")
p.add_argument("--arch", default="resnet20,resnet56,resnet110")
p.add_argument("--imagenet", action="store_true", help="networks of 224x224 images and 1000 classes")
p.add_argument("--mode", default="train,infer")
p.add_argument("--batch", type=int, default=128)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--steps", type=int, default=7)
p.add_argument("--frames", type=int, help="networks of speech: frames of each utterance, with --arch wrbn --batch 8 and torch_wrbn.py")
a = p.parse_args()
if not a.peer and not a.trainable:
    p.error("--peer is missing; without it, --trainable is compared with all")
common = ["--batch", str(a.batch), "--threads", str(a.threads)] + (["--frames", str(a.frames)] if a.frames else [])
steps = ["--steps", str(a.steps)]


part = (["--trainable", a.trainable] if a.trainable else []), (["--features", "--steps", "2001"] if a.features else steps)  # of features a step takes microseconds


def binary(mode, arch, *flags):
    out = subprocess.run([a.binary, "bench", mode, "--arch", arch, "--json", *common, *flags], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def ours(mode, arch):
    return binary(mode, arch, *part[0], *part[1])


def peer(mode, arch):
    if not a.peer:
        return {"peer": "all layers", **binary(mode, arch, *steps)}
    rows = []
    kind = ["--imagenet"] if a.imagenet else []
    if a.imagenet:
        arch = arch.removesuffix("v1.5")
    for jit in ([], ["--jit"])[: 2 if mode == "infer" and not a.frames else 1]:
        out = subprocess.run([sys.executable, a.peer, "--arch", arch, "--mode", mode, *kind, *common, *steps, *jit, *part[0]], check=True, capture_output=True, text=True).stdout
        rows += [r for r in map(json.loads, out.splitlines()) if "images_per_second" in r]
    return max(rows, key=lambda r: r["images_per_second"])


def spread(values):
    digits = 0 if statistics.median(values) >= 200 else 1 if statistics.median(values) >= 20 else 2
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


for mode in a.mode.split(","):
    for arch in a.arch.split(","):
        rounds = []
        for i in range(a.rounds):
            # Who goes first changes, so that neither always finds the machine as the other left it.
            pair = [ours, peer] if i % 2 == 0 else [peer, ours]
            done = {f.__name__: f(mode, arch) for f in pair}
            rounds.append((done["ours"], done["peer"]))
        mine, theirs = ([r[k]["images_per_second"] for r in rounds] for k in (0, 1))
        ratios = [x / y for x, y in zip(mine, theirs)]
        what = f" {a.trainable}{' from features' if a.features else ''}" if a.trainable else ""
        print(f"{mode} {arch}{what}, batch {a.batch}, {a.threads} threads, {a.rounds} rounds: resnet {spread(mine)} {'utterances' if a.frames else 'images'}/s, "
              f"{rounds[0][1].get('peer', 'peer')} {spread(theirs)}, ratio {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f}); peak memory {rounds[0][0]['peak_rss_bytes'] / 1e6:.0f} MB "
              f"against {rounds[0][1]['peak_rss_bytes'] / 1e6:.0f} MB; {rounds[0][0]['cpu']}", flush=True)
