"""Times one engine on one network of this CPU: a peer of `make bench-peer`, to stand beside `resnet bench`.

    python3 testdata/bench/engines.py --engine openvino-bf16 --imagenet --arch resnet50 --mode infer --batch 16 --threads 2

Engines: torch, openvino and onnxruntime in float32; torch-bf16 (autocast) and openvino-bf16, where bfloat16 uses what the processor has for it, AMX too.
onnxruntime and openvino infer alone. Networks: resnetD of CIFAR (D = 6n+2, shortcut A) and, with --imagenet, torchvision's; what infers alone reads them as
ONNX, which torch.onnx writes in the legacy manner, with the batch fixed. Needs torch, and torchvision, onnx, openvino, onnxruntime where they are used.

A line of JSON is printed for each setting of the engine: PyTorch's memory formats, and in inference its frozen TorchScript. A training step is zero_grad,
forward, cross-entropy, backward and SGD with momentum 0.9 and weight decay 1e-4, on the same random batch each time.
"""
import argparse
import json
import pathlib
import tempfile

import torch
import torch.nn.functional as F
from torch import nn

from timing import median_seconds, peak_rss_bytes

CAN_TRAIN = ["torch", "torch-bf16"]
p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--engine", choices=[*CAN_TRAIN, "openvino", "openvino-bf16", "onnxruntime"], required=True)
p.add_argument("--arch", required=True)
p.add_argument("--imagenet", action="store_true")
p.add_argument("--mode", choices=["train", "infer"], default="train")
p.add_argument("--batch", type=int, default=128)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--steps", type=int, default=7)


class Basic(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.stride, self.more = (1, 0) if cin == cout else (2, cout - cin)
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, self.stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        if self.more:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return F.relu(y + x, inplace=True)


def cifar(depth):
    """He et al. 2015, section 4.2."""
    blocks, cin = [], 16
    for width in (16, 32, 64):
        for _ in range((depth - 2) // 6):
            blocks.append(Basic(cin, width))
            cin = width
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def network(a):
    torch.manual_seed(0)
    if not a.imagenet:
        return cifar(int(a.arch.removeprefix("resnet"))), 32, 10
    import torchvision
    return getattr(torchvision.models, a.arch)(), 224, 1000


def torch_settings(a):
    """Yields what a setting is and a function that makes a step."""
    bf16 = a.engine.endswith("bf16")
    for form in (torch.contiguous_format, torch.channels_last):
        net, size, classes = network(a)
        net, x = net.to(memory_format=form), torch.randn(a.batch, 3, size, size).to(memory_format=form)
        labels, name = torch.randint(0, classes, (a.batch,)), str(form).removeprefix("torch.")

        def cast():
            # A cache of the weights' copies would outlive a traced module.
            return torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16, cache_enabled=a.mode == "train")

        if a.mode == "train":
            opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

            def train():
                opt.zero_grad(set_to_none=True)
                with cast():
                    out = net(x)
                F.cross_entropy(out.float(), labels).backward()
                opt.step()

            yield name, train
            continue
        net.eval()

        def infer(run):
            with torch.inference_mode(), cast():
                run(x)

        yield name, lambda: infer(net)
        with torch.no_grad(), cast():
            frozen = torch.jit.freeze(torch.jit.trace(net, x, check_trace=False))
        yield name + ", TorchScript", lambda: infer(frozen)


def onnx(a, path):
    """Writes the network and returns a batch for it."""
    net, size, _ = network(a)
    x = torch.randn(a.batch, 3, size, size)
    torch.onnx.export(net.eval(), x, path, dynamo=False, input_names=["input"])
    return x.numpy()


def openvino_settings(a):
    import openvino
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "net.onnx"
        x, core = onnx(a, path), openvino.Core()
        hints = {"INFERENCE_PRECISION_HINT": "bf16" if a.engine.endswith("bf16") else "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": a.threads}
        request = core.compile_model(core.read_model(path), "CPU", hints).create_infer_request()
    yield "latency", lambda: request.infer({0: x})


def onnxruntime_settings(a):
    import onnxruntime
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "net.onnx"
        x, options = onnx(a, path), onnxruntime.SessionOptions()
        options.intra_op_num_threads = a.threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    yield "default", lambda: session.run(None, {"input": x})


def main():
    a = p.parse_args()
    if a.mode == "train" and a.engine not in CAN_TRAIN:
        p.error(f"{a.engine} does not train")
    torch.set_num_threads(a.threads)
    settings = {"torch": torch_settings, "openvino": openvino_settings, "onnxruntime": onnxruntime_settings}
    for setting, step in settings[a.engine.removesuffix("-bf16")](a):
        seconds = median_seconds(step, a.steps)
        print(json.dumps(dict(peer=a.engine, version=version(a.engine), arch=a.arch, mode=a.mode, setting=setting, batch=a.batch, threads=a.threads,
                              images_per_second=a.batch / seconds, peak_rss_bytes=peak_rss_bytes())), flush=True)


def version(engine):
    import importlib.metadata
    return importlib.metadata.version(engine.removesuffix("-bf16"))


if __name__ == "__main__":
    main()
