"""Times convolutions in groups in PyTorch on one core, to stand beside the lines with groups of `resnet bench conv`.

    OMP_NUM_THREADS=1 python3 testdata/bench/torch_groups.py [--seconds 0.3]

Prints for each shape the operations a second of the forward pass, the gradient of the input and that of the weights, two for each multiply-add,
in both memory formats: the median of seven rounds.
"""
import argparse
import statistics
import time

import torch

p = argparse.ArgumentParser()
p.add_argument("--seconds", type=float, default=0.3, help="of a round")
p.add_argument("--images", type=int, default=8)
a = p.parse_args()
torch.set_num_threads(1)


def speed(f, flops):
    f()
    rounds = []
    for _ in range(7):
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < a.seconds:
            f()
            calls += 1
        rounds.append(flops * calls / (time.perf_counter() - start))
    return statistics.median(rounds) / 1e9


for channels, size, stride in ((128, 56, 1), (256, 56, 2), (256, 28, 1), (512, 14, 1), (1024, 7, 1)):
    for form in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(a.images, channels, size, size).to(memory_format=form)
        w = torch.randn(channels, channels // 32, 3, 3).to(memory_format=form)
        y = torch.nn.functional.conv2d(x, w, None, stride, 1, groups=32)
        dy = torch.randn_like(y)
        flops = 2 * y.numel() * w[0].numel()

        def backward(wanted):
            return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, [stride] * 2, [1, 1], [1, 1], False, [0, 0], 32, wanted)

        with torch.no_grad():
            speeds = [speed(f, flops) for f in (lambda: torch.nn.functional.conv2d(x, w, None, stride, 1, groups=32), backward([True, False, False]), backward([False, True, False]))]
        print(f"{channels}->{channels} {size}x{size} kernel 3x3 stride {stride}, 32 groups, {str(form)[6:]}: forward {speeds[0]:.1f}, data gradient {speeds[1]:.1f}, "
              f"weight gradient {speeds[2]:.1f} GFLOP/s", flush=True)
