"""Imports whole networks in the formats of other programs, with random weights, and compares what resnet predicts with the forward passes of generate.py.

    python testdata/foreign/check.py bin/resnet     (torch from PyPI)

The networks are ResNet-50 as a .caffemodel with a mean image, BN-Inception under the names of pretrained-models and TF-slim's Inception v2 under its own, as files
of torch.save. The picture is 256 pixels square, of which the middle 224 are seen.
"""
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import torch
import torch.nn.functional as F

import generate


def png(path, image):
    """An image [3, H, W] of bytes, as PNG."""
    h, w = image.shape[1:]
    rows = b"".join(b"\0" + bytes(image[:, y].T.flatten().tolist()) for y in range(h))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    torch.set_num_threads(1)
    resnet = str(pathlib.Path(sys.argv[1]).resolve())
    failed = False
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        at = pathlib.Path(folder)
        image = generate.Values(11).images(1, 256)
        png(at / "image.png", image[0].to(torch.uint8))
        x = image[:, :, 16:240, 16:240]

        mean = generate.mean_image(generate.Values(12), 224)
        (at / "mean.binaryproto").write_bytes(generate.blob(mean, "old"))
        file, caffe = generate.residual(x, mean, [64, 128, 256, 512], [3, 4, 6, 3], 1000)
        (at / "resnet50.caffemodel").write_bytes(file)
        state, inception = generate.cadene(x, full=True, classes=1000)
        torch.save({k: t.float() for k, t in state.items()}, at / "bn_inception.pth")
        state, google = generate.slim(x, full=True, classes=1001)
        torch.save({k: t.float().contiguous() for k, t in state.items()}, at / "inception_v2.pth")

        for name, row, flags, want in (("resnet50.caffemodel", "resnet50-caffe", ["--mean", str(at / "mean.binaryproto")], caffe),
                                       ("bn_inception.pth", "bn-inception", [], inception), ("inception_v2.pth", "bn-inception-slim", [], google)):
            out = str(at / (row + ".safetensors"))
            made = json.loads(subprocess.run([resnet, "import", str(at / name), "--out", out, "--json", *flags], check=True, capture_output=True, text=True).stdout)
            seen = subprocess.run([resnet, "predict", out, str(at / "image.png"), "--top", str(want.shape[1]), "--json"], check=True, capture_output=True, text=True)
            got = torch.zeros(want.shape[1]).double()
            for c in json.loads(seen.stdout)["images"][0]["top"]:
                got[c["class"]] = math.log(c["probability"]) if c["probability"] > 0 else -math.inf
            logs = F.log_softmax(want[0], 0)
            difference = (got - logs).abs().max().item() / want.abs().max().item()
            wrong = made["model"] != row or not difference < 1e-5  # nan and inf too
            failed |= wrong
            print(f"{name}: {made['model']}, {made['params']} parameters, largest difference {difference:.1e} of the largest logit {want.abs().max():.1f}{' WRONG' if wrong else ''}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
