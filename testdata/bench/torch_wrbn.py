"""Times the Wide Residual BLSTM Network in PyTorch on this CPU, to stand beside `resnet bench train|infer --arch wrbn`.

    python3 testdata/bench/torch_wrbn.py --mode train --batch 8 --frames 300 --threads 2

All utterances of the batch have the same length, as those of `resnet bench`, so PyTorch needs no masks: the normalisation over an utterance is then
F.instance_norm, its own kernel, which is faster than the masked form that a training on real utterances takes. The products of the LSTM's
input weights are taken for all frames at once. What is left of a recurrence is computed in one of three ways (--lstm):

    loop      a Python loop over the frames, both directions in one batched product
    script    the same loop through torch.jit.script
    nn        torch.nn.LSTM whose input weights are the identity: its own recurrence, at the price of a product that changes nothing

A line of JSON is printed for each memory format and form of the recurrence. A training step is zero_grad, forward, cross-entropy over all frames,
backward and SGD with momentum 0.9 and weight decay 1e-4, on the same random batch each time. images_per_second counts utterances.
"""

import argparse
import json
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    """Normalisation over the frames (and frequencies) of each utterance."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):  # [N, C, ...]
        return F.instance_norm(x, weight=self.weight, bias=self.bias, use_input_stats=True, eps=1e-5)


def act(x):
    return F.elu(x, inplace=True)


class Block(nn.Module):
    def __init__(self, cin, c, stride, plain):
        super().__init__()
        self.bn1, self.bn2 = Norm(cin), Norm(c)
        self.conv1 = nn.Conv2d(cin, c, 3, (stride, 1), 1, bias=False)
        self.conv2 = nn.Conv2d(c, c, 3, 1, 1, bias=False)
        self.down = nn.Conv2d(cin, c, 1, (stride, 1), bias=False) if (cin != c or stride != 1) and not plain else None
        self.plain = plain

    def forward(self, x):
        n = act(self.bn1(x))
        h = self.conv2(act(self.bn2(self.conv1(n))))
        if self.plain:
            return h
        return h + (x if self.down is None else self.down(n))


def recurrence(gates, w):
    """gates [T, D, N, 4U] in the order of computation, w [D, U, 4U]; hidden states [T, D, N, U]. D directions at once."""
    h = torch.zeros(gates.size(1), gates.size(2), w.size(1))
    c = torch.zeros_like(h)
    out: list[torch.Tensor] = []
    for g in gates.unbind(0):
        a, i, f, o = torch.baddbmm(g, h, w).chunk(4, 2)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(a)
        h = torch.sigmoid(o) * torch.tanh(c)
        out.append(h)
    return torch.stack(out)


class Recurrent(nn.Module):
    def __init__(self, cin, units, concat, form):
        super().__init__()
        self.input = nn.ModuleList([nn.Linear(cin, 4 * units, bias=False) for _ in range(2)])
        self.bn = nn.ModuleList([Norm(4 * units) for _ in range(2)])
        self.concat, self.form, self.units = concat, form, units
        if form == "nn":
            self.lstm = nn.ModuleList([nn.LSTM(4 * units, units, bias=False) for _ in range(2)])
            for l in self.lstm:
                l.weight_ih_l0 = nn.Parameter(torch.eye(4 * units), requires_grad=False)
        else:
            self.hidden = nn.Parameter(torch.randn(2, units, 4 * units) * units ** -0.5)
            self.run = torch.jit.script(recurrence) if form == "script" else recurrence

    def forward(self, x):  # [N, C, T]
        gates = [bn(l(x.transpose(1, 2)).transpose(1, 2)).permute(2, 0, 1) for l, bn in zip(self.input, self.bn)]  # [T, N, 4U]
        gates[1] = gates[1].flip(0)
        if self.form == "nn":
            h = [l(g)[0] for l, g in zip(self.lstm, gates)]
        else:
            h = self.run(torch.stack(gates, 1), self.hidden).unbind(1)
        h = [h[0], h[1].flip(0)]
        y = torch.cat(h, 2) if self.concat else h[0] + h[1]
        return y.permute(1, 2, 0)


class WRBN(nn.Module):
    """The published network: 17,470,229 parameters."""

    def __init__(self, form, plain=False, features=80, stem=16, widths=(80, 160, 320), depth=3, units=512, dense=1024, classes=2042):
        super().__init__()
        self.conv1, layers, cin = nn.Conv2d(3, stem, 3, (2, 1), 1, bias=False), [], stem
        for i, c in enumerate(widths):
            for j in range(depth):
                layers.append(Block(cin, c, 2 if i > 0 and j == 0 else 1, plain))
                cin = c
        self.layers, self.bn = nn.Sequential(*layers), Norm(cin)
        self.pooler = nn.Linear(features // 8, 1)
        self.blstm = nn.Sequential(Recurrent(cin, units, False, form), Recurrent(units, units, True, form))
        self.fc, self.fc_bn, self.out = nn.Linear(2 * units, dense, bias=False), Norm(dense), nn.Linear(dense, classes)

    def forward(self, x):  # [N, 3, F, T] to [N, T, classes]
        x = act(self.bn(self.layers(self.conv1(x))))
        x = act(self.pooler(x.transpose(2, 3)).squeeze(3))
        x = self.fc(self.blstm(x).transpose(1, 2)).transpose(1, 2)
        return self.out(act(self.fc_bn(x)).transpose(1, 2))


def run(a, fmt, form):
    torch.manual_seed(0)
    net = WRBN(form, a.arch == "wrbn-plain").to(memory_format=fmt)
    parameters = sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert a.arch != "wrbn" or parameters == 17_470_229, parameters
    x = torch.randn(a.batch, 3, 80, a.frames).to(memory_format=fmt)
    y = torch.randint(0, 2042, (a.batch * a.frames,))
    opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 1e-3, 0.9, weight_decay=1e-4)

    def train():
        opt.zero_grad(set_to_none=True)
        F.cross_entropy(net(x).flatten(0, 1), y).backward()
        opt.step()

    def infer():
        with torch.no_grad():
            net(x)

    times = []
    for _ in range(a.steps + a.warm):
        t = time.perf_counter()
        (train if a.mode == "train" else infer)()
        times.append(time.perf_counter() - t)
    t = sorted(times[a.warm:])[a.steps // 2]
    return dict(peer="pytorch " + torch.__version__, arch=a.arch, mode=a.mode, precision="fp32", batch=a.batch, frames=a.frames,
                threads=torch.get_num_threads(), memory_format=str(fmt).split(".")[-1], lstm=form, ms_per_step=round(t * 1e3, 2),
                images_per_second=round(a.batch / t, 4), frames_per_second=round(a.batch * a.frames / t, 1),
                peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--arch", choices=["wrbn", "wrbn-plain"], default="wrbn")
    p.add_argument("--mode", choices=["train", "infer"], default="train")
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--frames", type=int, default=300)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--warm", type=int, default=1)
    p.add_argument("--format", choices=["contiguous", "channels_last", "both"], default="both")
    p.add_argument("--lstm", choices=["loop", "script", "nn", "all"], default="all")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    formats = {"contiguous": [torch.contiguous_format], "channels_last": [torch.channels_last],
               "both": [torch.contiguous_format, torch.channels_last]}[a.format]
    for fmt in formats:
        for form in ["loop", "script", "nn"] if a.lstm == "all" else [a.lstm]:
            print(json.dumps(run(a, fmt, form)), flush=True)
