"""Checks an exported model with onnx.checker and runs it in ONNX Runtime beside PyTorch, for option B networks that torchvision has.

    resnet export CHECKPOINT --format onnx --out m.onnx
    resnet export CHECKPOINT --format safetensors --out m.safetensors
    python testdata/onnx/check.py resnet50 m.onnx m.safetensors     (torchvision, onnx, onnxruntime and safetensors from PyPI)
"""
import sys

try:
    import onnx
    import onnxruntime
    import torch
    import torchvision
    from safetensors.torch import load_file
except ImportError as e:
    sys.exit(f"skipped: {e}")

arch, model, tensors = sys.argv[1:]
onnx.checker.check_model(onnx.load(model), full_check=True)
session = onnxruntime.InferenceSession(model)
net = getattr(torchvision.models, arch)()
net.load_state_dict(load_file(tensors))
net.eval()
torch.manual_seed(1)
for n, size in ((1, 224), (7, 224), (1, 320)):
    x = torch.randn(n, 3, size, size)
    with torch.no_grad():
        want = net(x).numpy()
    got = session.run(None, {"input": x.numpy()})[0]
    error = abs(got - want).max() / abs(want).max()
    print(f"{arch}, batch {n}, {size}x{size}: largest difference {error:.1e} of the largest logit")
    if not error < 1e-4:
        sys.exit("too far")
