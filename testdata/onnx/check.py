"""Checks exported models with onnx.checker and runs them in ONNX Runtime beside PyTorch, several batches and sizes.

    resnet export CHECKPOINT --format onnx --out m.onnx
    resnet export CHECKPOINT --format safetensors --out m.safetensors
    python testdata/onnx/check.py m.onnx m.safetensors ...       (torch, torchvision, onnx, onnxruntime and safetensors from PyPI)

PyTorch's side is torchvision's network of that name where it has one, loaded with load_state_dict; for the other baselines of the paper's tables, the modules of
testdata/parity/baselines.py; for networks of speech, the description in testdata/parity/generate_wrbn.py. Plain nets, options A and C, the stride in the first 1x1
and CIFAR are written out below from the paper, and the architecture is read from the model's metadata.
"""
import json
import pathlib
import sys

try:
    import onnx
    import onnxruntime
    import torch
    import torch.nn.functional as F
    import torchvision
    from safetensors.torch import load_file
except ImportError as e:
    sys.exit(f"skipped: {e}")

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))
import baselines  # noqa: E402
import generate_wrbn  # noqa: E402

TORCHVISION = {"resnet18": "resnet18", "resnet34": "resnet34", "resnet50v1.5": "resnet50", "resnet101v1.5": "resnet101", "resnet152v1.5": "resnet152",
               "vgg16": "vgg16", "vgg16bn": "vgg16_bn", "vgg19": "vgg19", "vgg19bn": "vgg19_bn", "googlenet-bn": "googlenet"}


def written_out(arch, w):
    """The network of He et al. 2016 that arch describes, with the tensors w, as a function of x."""
    def norm(x, name):
        return F.batch_norm(x, w[name + ".running_mean"], w[name + ".running_var"], w[name + ".weight"], w[name + ".bias"], eps=arch["bn_eps"])

    def conv(x, name, stride=1):
        k = w[name + ".weight"]
        return F.conv2d(x, k, stride=stride, padding=k.shape[2] // 2)

    def shortcut(x, name, planes, stride):
        if name + ".downsample.0.weight" in w:
            return norm(conv(x, name + ".downsample.0", stride), name + ".downsample.1")
        more = planes - x.shape[1]
        before = 0 if arch.get("pad_end") else more // 2
        return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, before, more - before))

    def forward(x):
        if arch["stem"] == "3x3":
            x = F.relu(norm(conv(x, "conv1"), "bn1"))
        else:
            x = F.relu(norm(conv(x, "conv1", 2), "bn1"))
            x = F.max_pool2d(x, 3, 2, ceil_mode=True) if arch["stem"] == "7x7-maxpool-ceil" else F.max_pool2d(x, 3, 2, 1)
        for stage, depth in enumerate(arch["depths"]):
            for block in range(depth):
                name = f"layer{stage + 1}.{block}"
                stride = 2 if stage > 0 and block == 0 else 1
                if arch["block"] == "basic":
                    y = F.relu(norm(conv(x, name + ".conv1", stride), name + ".bn1"))
                    y = norm(conv(y, name + ".conv2"), name + ".bn2")
                else:
                    v15 = arch.get("stride_in_3x3", False)
                    y = F.relu(norm(conv(x, name + ".conv1", 1 if v15 else stride), name + ".bn1"))
                    y = F.relu(norm(conv(y, name + ".conv2", stride if v15 else 1), name + ".bn2"))
                    y = norm(conv(y, name + ".conv3"), name + ".bn3")
                if arch["shortcut"] != "none":
                    y = y + shortcut(x, name, y.shape[1], stride)
                x = F.relu(y)
        return F.linear(x.mean((2, 3)), w["fc.weight"], w["fc.bias"])

    return forward


def speech(arch, w):
    """The network of speech that arch describes, as a function of x: each utterance by itself, in float64."""
    part = arch["speech"]
    generate_wrbn.DEPTHS, generate_wrbn.WIDTHS, generate_wrbn.UNITS, generate_wrbn.EPS = arch["depths"], arch["widths"], part["units"], arch["bn_eps"]
    w = {name: t.double() for name, t in w.items()}

    def forward(x):
        y = torch.stack([generate_wrbn.forward(one, w, arch["shortcut"] == "none") for one in x.double()])
        return y.mean(1) if part["output"] == "utterance" else y

    return forward


def check(model, tensors):
    loaded = onnx.load(model)
    onnx.checker.check_model(loaded, full_check=True)
    arch = json.loads({p.key: p.value for p in loaded.metadata_props}["resnet.arch"])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    w = load_file(tensors)
    name, beside = arch["name"], "the paper's definition"
    forward = written_out(arch, w) if "block" in arch and arch.get("block") in ("basic", "bottleneck") else None
    if arch["family"] == "speech":
        forward, beside = speech(arch, w), "the description in testdata/parity"
    if name in TORCHVISION and arch["classes"] == 1000:
        extra = {"aux_logits": any(k.startswith("aux") for k in w), "init_weights": False} if name == "googlenet-bn" else {}
        net = getattr(torchvision.models, TORCHVISION[name])(**extra)
        net.load_state_dict(w)
        forward, beside = net.eval(), "torchvision"
    elif name in baselines.FULL:
        net = baselines.FULL[name]().eval()
        net.load_state_dict(w, strict=any(k.startswith("aux") for k in w) or not name.startswith("googlenet"))
        forward, beside = lambda x: net(x)[0], "the module of testdata/parity"
    if forward is None:
        sys.exit(f"{name}: PyTorch's side is not known here")
    size, channels = arch["input_size"], arch["input_channels"]
    torch.manual_seed(1)
    free = isinstance(session.get_inputs()[0].shape[2], str)
    taller = size + 64 if size >= 224 else size + size // 2  # halved five times, modules of several branches need multiples of 32
    sizes = ((1, size, size), (7, size, size)) + (((2, taller, size),) if free else ())
    if arch["family"] == "speech":
        bins = arch["speech"]["features"]
        sizes = ((1, bins, 1), (1, bins, 50), (7, bins, 33))
    for n, height, width in sizes:
        x = torch.randn(n, channels, height, width)
        with torch.no_grad():
            want = forward(x).numpy()
        got = session.run(None, {"input": x.numpy()})[0]
        error = abs(got - want).max() / abs(want).max()
        print(f"{name} beside {beside}, batch {n}, {height}x{width}: largest difference {error:.1e} of the largest logit")
        if got.shape != want.shape or not error < 1e-4:
            sys.exit("too far")


if len(sys.argv) < 3 or len(sys.argv) % 2 == 0:
    sys.exit(__doc__)
for i in range(1, len(sys.argv), 2):
    check(sys.argv[i], sys.argv[i + 1])
