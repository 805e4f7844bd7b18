"""Takes every row of the variants from PyTorch through import and export back into PyTorch, whole, with random weights and statistics.

    python testdata/parity/check_variants.py bin/resnet [ROW ...]     (torch, torchvision and timm from PyPI)

The networks are torchvision's and timm's where they have them, else those of variants.py. Every tensor has to come back with its bits under its name, for load_state_dict; and what
`predict` says of a picture is compared with PyTorch's logits in float64, relative to the largest. Rows that the file alone does not tell from others are named by --arch.
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import safetensors.torch
import timm
import torch
import torch.nn.functional as F
import torchvision

import variants

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "foreign"))
import check as foreign  # noqa: E402


def network(name):
    if name in variants.FULL:
        return variants.Net(variants.FULL[name], 1000 if variants.FULL[name].get("large") else 10)
    return getattr(torchvision.models, name)() if name in variants.TORCHVISION else timm.create_model(name)


def cadene(key):
    """The name of a tensor in pretrained-models, whose squeeze-and-excitation networks pool as Caffe's: by that name alone they are told from timm's."""
    if key.startswith(("conv1.", "bn1.")):
        return "layer0." + key
    return key.replace(".se.", ".se_module.").replace("fc.", "last_linear.", key.startswith("fc."))


def check(resnet, name, at, seed):
    torch.manual_seed(seed)
    net = network(name).eval()
    for key, t in net.state_dict().items():
        if key.endswith("running_mean"):
            t.normal_(0, 0.1)
        elif key.endswith("bn3.weight"):
            t.uniform_(0.15, 0.25)  # with 1, the sums of 50 blocks grow so far that float32 in PyTorch itself is 0.5 from float64 in seresnet152
        elif key.endswith("running_var") or t.dim() == 1 and key.endswith("weight"):
            t.uniform_(0.95, 1.05)  # with wider ones, float32 in PyTorch itself is 3e-2 from float64 in seresnet101
    small = name in variants.FULL and not variants.FULL[name].get("large")
    image = torch.randint(256, (1, 3, 32, 32) if small else (1, 3, 256, 256)).double()
    x = (image if small else image[:, :, 16:240, 16:240]) / 255
    want = net.double()(x)
    scale = 5 / want.abs().max().item()
    net.fc.weight.mul_(scale)
    net.fc.bias.mul_(scale)
    net.float()
    theirs = cadene if name.endswith("-caffe") else lambda key: key
    state = {theirs(k): t for k, t in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save({theirs(k): t for k, t in net.state_dict().items()}, at / "in.pth")
    want = net.double()(x)
    net.float()
    foreign.png(at / "image.png", image[0].to(torch.uint8))

    def run(*args, status=0):
        p = subprocess.run([resnet, *map(str, args)], capture_output=True, text=True)
        if p.returncode != status:
            raise SystemExit(f"{name}: {args[0]}: status {p.returncode}: {p.stderr}")
        return p.stdout

    alone = subprocess.run([resnet, "import", at / "in.pth", "--out", at / "net.safetensors", "--json"], capture_output=True, text=True)
    told = alone.returncode == 0 and json.loads(alone.stdout)["model"] == name
    if not told and not (alone.returncode == 2 and f"--arch {name} " in alone.stderr):
        raise SystemExit(f"{name}: {alone.stdout}{alone.stderr}")
    run("import", at / "in.pth", "--arch", name, "--out", at / "net.safetensors")
    run("export", at / "net.safetensors", "--format", "safetensors", "--out", at / "out.safetensors", *(["--names", "cadene"] if name.endswith("-caffe") else []))
    back = safetensors.torch.load_file(at / "out.safetensors")
    lost = {k for k in state.keys() | back.keys() if k not in state or k not in back or not torch.equal(state[k].view(torch.int32), back[k].view(torch.int32))}
    ours = {theirs(k): k for k in net.state_dict()}
    missing, unexpected = net.load_state_dict({ours.get(k, k): t for k, t in back.items()}, strict=False)
    missing = [k for k in missing if not k.endswith("num_batches_tracked")]

    classes = want.shape[1]
    top = json.loads(run("predict", at / "net.safetensors", at / "image.png", "--top", classes, "--json"))["images"][0]["top"]
    got = torch.zeros(classes).double()
    for c in top:
        got[c["class"]] = math.log(c["probability"]) if c["probability"] > 0 else -math.inf
    difference = (got - F.log_softmax(want[0], 0)).abs().max().item() / want.abs().max().item()
    wrong = bool(lost or missing or unexpected) or not difference < 1e-4  # nan and inf too
    print(f"{name}: {len(state)} tensors of {sum(t.numel() for t in state.values()):,} values, {len(lost)} others; {'told by its file' if told else 'named by --arch'}; "
          f"largest difference {difference:.1e}{' WRONG' if wrong else ''}", flush=True)
    return wrong


def main():
    torch.set_num_threads(1)
    rows = sys.argv[2:] or [*variants.FULL, *variants.TORCHVISION, *variants.TIMM]
    resnet = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        failed = [name for seed, name in enumerate(rows) if check(resnet, name, pathlib.Path(folder), seed)]
    print(f"{len(rows)} rows, {len(failed)} wrong")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
