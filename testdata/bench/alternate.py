"""Times `resnet bench` and a peer in turn on the same machine, and prints the ratio of their speeds.

    python3 alternate.py --binary bin/resnet --engines torch --arch resnet20,resnet56 --mode train,infer --rounds 5
    python3 alternate.py --binary bin/resnet --peer torch_variants.py --imagenet --arch resnet18 --batch 16 --mode train --trainable head
    python3 alternate.py --binary bin/resnet --imagenet --arch resnet18 --batch 16 --mode train --trainable layer4
    python3 alternate.py --binary bin/resnet --engines torch,openvino,openvino-bf16,onnxruntime --imagenet --arch resnet18 --batch 16 --mode infer
    python3 alternate.py --binary bin/resnet --baseline old/resnet --arch resnet20 --mode train
    python3 alternate.py --binary bin/resnet --precision bfloat16 --engines torch-bf16 --arch resnet20 --mode train
    python3 alternate.py --binary bin/resnet --precision bfloat16 --arch resnet20 --mode train

The peer is a Python script with the flags --arch, --mode, --batch, --threads, --steps and, for inference, --jit; it prints JSON lines with
images_per_second and peak_rss_bytes, one for each of its own settings. Its best setting of a round counts; for inference it runs with and
without --jit. With --imagenet the peer has that flag too and its networks are torchvision's: resnet50v1.5 here is resnet50 there. The two take turns because a shared machine speeds up and slows down: only ratios of neighbours mean anything.
With --engines each engine of engines.py that can do the work is a peer, and all take turns. With --baseline the peer is another binary of ours.
With --trainable a part of the network is trained, here and in the peer; with --features ours trains on kept features. --precision is ours alone. Without a --peer the two are our binary with these flags and without.
Prints a line for each network, mode and peer: medians, ranges, and the median of the rounds' ratios.

With --log, rounds are added to a file and the lines are of all its rounds of the same binary and settings: a measurement may be made in pieces.
With --history, our median goes to docs/performance.csv, through testdata/performance, which needs Go and a binary of a commit.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--binary", required=True)
p.add_argument("--peer")
p.add_argument("--peer-flags", default="", help="more flags for the --peer, such as those that choose one of its settings")
p.add_argument("--engines", help="names of engines.py, with commas, instead of a --peer")
p.add_argument("--baseline", help="another binary of ours, instead of a --peer")
p.add_argument("--trainable", help="stages that are trained besides the classifier, with commas; head is none")
p.add_argument("--features", action="store_true", help="with --trainable: features of the layers below have been computed")
p.add_argument("--precision", help="of ours: bfloat16")
p.add_argument("--arch", default="resnet20,resnet56,resnet110")
p.add_argument("--imagenet", action="store_true", help="networks of 224x224 images and 1000 classes")
p.add_argument("--mode", default="train,infer")
p.add_argument("--batch", type=int, default=128)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--steps", type=int, default=7)
p.add_argument("--frames", type=int, help="networks of speech: frames of each utterance, with --arch wrbn --batch 8 and torch_wrbn.py")
p.add_argument("--log", help="a file of rounds, which are added to it and summed up with those that are there")
p.add_argument("--history", action="store_true", help="add our median to docs/performance.csv")
a = p.parse_args()
if not (a.peer or a.engines or a.baseline or a.trainable or a.precision):
    p.error("--peer, --engines or --baseline is missing; without them, --trainable is compared with all, and --precision with float32")
if a.precision and a.trainable and not (a.peer or a.baseline):
    p.error("--trainable and --precision are compared with something else one at a time")
if a.engines and a.trainable:
    p.error("--engines train all layers: --trainable needs a --peer that has that flag")
common = ["--batch", str(a.batch), "--threads", str(a.threads)] + (["--frames", str(a.frames)] if a.frames else [])
steps = ["--steps", str(a.steps)]
precision = ["--precision", a.precision] if a.precision else []
part = (["--trainable", a.trainable] if a.trainable else []), (["--features", "--steps", "2001"] if a.features else steps)  # of features a step takes microseconds


def binary(mode, arch, *flags, path=a.binary):
    out = subprocess.run([path, "bench", mode, "--arch", arch, "--json", *common, *flags], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def ours(mode, arch):
    return binary(mode, arch, *part[0], *part[1], *precision)


def script(path, mode, arch, *flags):
    """The best of a script's settings."""
    kind = ["--imagenet"] if a.imagenet else []
    if a.imagenet:
        arch = arch.removesuffix("v1.5")
    out = subprocess.run([sys.executable, "-W", "ignore", path, "--arch", arch, "--mode", mode, *kind, *common, *steps, *flags], check=True, capture_output=True, text=True).stdout
    return max((r for r in map(json.loads, out.splitlines()) if "images_per_second" in r), key=lambda r: r["images_per_second"])


def peer(mode, arch):
    jit = ([], ["--jit"])[: 2 if mode == "infer" and not a.frames else 1]
    return max((script(a.peer, mode, arch, *j, *part[0], *a.peer_flags.split()) for j in jit), key=lambda r: r["images_per_second"])


def peers(mode):
    """Names of peers, and what measures them."""
    if a.engines:
        path = pathlib.Path(__file__).parent / "engines.py"
        names = [e for e in a.engines.split(",") if mode == "infer" or e.startswith("torch")]
        return {e: (lambda mode, arch, e=e: script(path, mode, arch, "--engine", e)) for e in names}
    if a.baseline:
        return {"baseline": lambda mode, arch: binary(mode, arch, *part[0], *part[1], path=a.baseline)}
    other = "float32" if a.precision else "all layers"
    return {"peer": peer if a.peer else lambda mode, arch: {"peer": other, **binary(mode, arch, *steps)}}


def spread(values):
    digits = 0 if statistics.median(values) >= 200 else 1 if statistics.median(values) >= 20 else 2
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def log(key, r):
    """Adds a round to the log, if there is one: an interrupted measurement loses no more than the round in hand."""
    if a.log:
        with open(a.log, "a") as f:
            f.write(json.dumps({"key": key, "round": r}) + "\n")


def logged(key, rounds):
    """All rounds of the log with the key of these."""
    if not a.log:
        return rounds
    with open(a.log) as f:
        return [r["round"] for r in map(json.loads, f) if r["key"] == key]


def summary(mode, arch, rounds, name):
    mine, theirs = ([r[k]["images_per_second"] for r in rounds] for k in ("ours", name))
    ratios = [x / y for x, y in zip(mine, theirs)]
    what = f" {a.trainable}{' from features' if a.features else ''}" if a.trainable else ""
    first, other = rounds[0]["ours"], rounds[0][name]
    return (f"{mode} {arch}{what}, batch {a.batch}, {a.threads} threads, {len(rounds)} rounds: resnet {' '.join([first['version'], *precision[1:]])} {spread(mine)} {'utterances' if a.frames else 'images'}/s, "
            f"{other.get('peer', name)} {other.get('version', '')} {spread(theirs)}, ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
            f"peak memory {first['peak_rss_bytes'] / 1e6:.0f} MB against {other['peak_rss_bytes'] / 1e6:.0f} MB; {first['cpu']}")


for mode in a.mode.split(","):
    for arch in a.arch.split(","):
        measured = {"ours": ours, **peers(mode)}
        names, rounds = list(measured), []
        def key():
            return [mode, arch, a.batch, a.threads, a.steps, a.frames, a.imagenet, a.trainable, a.features, a.peer, a.peer_flags, a.baseline, a.precision,
                    *([n, rounds[0][n].get("version")] for n in names)]

        for i in range(a.rounds):
            # Who goes first changes, so that nobody always finds the machine as the same other left it.
            k = i % len(names)
            done = {n: measured[n](mode, arch) for n in names[k:] + names[:k]}
            rounds.append({n: done[n] for n in names})
            log(key(), rounds[-1])
        rounds = logged(key(), rounds)
        for name in names[1:]:
            print(summary(mode, arch, rounds, name), flush=True)
        if a.history:
            mid = sorted((r["ours"] for r in rounds), key=lambda r: r["images_per_second"])[len(rounds) // 2]
            subprocess.run(["go", "run", "./testdata/performance"], input=json.dumps(mid), text=True, check=True)
