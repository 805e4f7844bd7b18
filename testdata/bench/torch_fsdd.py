#!/usr/bin/env python3
"""Trains the network of the preset fsdd-wrbn in PyTorch on the same data with the same schedule, to set its error beside ours.

    python3 testdata/bench/torch_fsdd.py RECORDINGS [--speaker theo] [--plain] [--epochs 8] [--seed 1] [--threads 2]

RECORDINGS is the folder of the Free Spoken Digit Dataset's WAV files. It needs torch, kaldi-native-fbank and soundfile. Features
(40 log-mel banks, first and second differences, mean of the utterance subtracted), network, loss, optimiser, schedule, clipping and batches (by
length, remainders to the next longer bucket) are those of the preset; initial values, the order of the batches and rounding are PyTorch's own. It prints the
loss and error of every epoch, and the utterance error of the speaker that was left out at the end.
"""

import argparse
import math
import pathlib
import time

import kaldi_native_fbank as knf
import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from torch import nn


def features(path, bins):
    samples, rate = soundfile.read(path, dtype="int16")
    o = knf.FbankOptions()
    o.frame_opts.samp_freq, o.frame_opts.dither, o.mel_opts.num_bins = rate, 0, bins
    bank = knf.OnlineFbank(o)
    bank.accept_waveform(rate, samples.astype(np.float32).tolist())
    bank.input_finished()
    static = np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)])
    maps = [static]
    kernel = np.array([-2, -1, 0, 1, 2], np.float32) / 10
    full = [kernel, np.convolve(kernel, kernel)]  # filters of the static features, as Kaldi's add-deltas has them
    for k in full:
        reach = len(k) // 2
        padded = np.pad(static, ((reach, reach), (0, 0)), mode="edge")
        maps.append(sum(w * padded[i:i + len(static)] for i, w in enumerate(k)))
    x = np.concatenate(maps, 1)
    x -= x.mean(0)
    return torch.tensor(x.reshape(len(x), 3, bins).transpose(1, 2, 0), dtype=torch.float32)  # [C, F, T]


class UttNorm(nn.Module):
    """Normalisation over the frames of each utterance (and its frequencies), without running statistics; zero on padding."""

    def __init__(self, channels, eps):
        super().__init__()
        self.gamma, self.beta, self.eps = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels)), eps

    def forward(self, x, mask):  # [N, C, F, T] and [N, 1, 1, T], or [N, C, T] and [N, 1, T]
        dims = tuple(range(2, x.dim()))
        per = x.shape[2] if x.dim() == 4 else 1
        n = mask.sum(dims, keepdim=True) * per
        mean = (x * mask).sum(dims, keepdim=True) / n
        var = ((x - mean) ** 2 * mask).sum(dims, keepdim=True) / n
        shape = (1, -1) + (1,) * (x.dim() - 2)
        y = (x - mean) / (var.sqrt() + self.eps) if EPS_OUTSIDE else (x - mean) / (var + self.eps).sqrt()
        return (y * self.gamma.view(shape) + self.beta.view(shape)) * mask


EPS_OUTSIDE = True  # gamma*(x-m)/(sqrt(var)+eps), as in the authors' port


class Block(nn.Module):
    def __init__(self, cin, cout, stride, plain):
        super().__init__()
        self.bn1, self.bn2 = UttNorm(cin, 1e-5), UttNorm(cout, 1e-5)
        self.conv1 = nn.Conv2d(cin, cout, 3, (stride, 1), 1, bias=False)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.ident = nn.Conv2d(cin, cout, 1, (stride, 1), bias=False) if cin != cout and not plain else None
        self.plain = plain

    def forward(self, x, mask):
        n = F.elu(self.bn1(x, mask))
        h = F.elu(self.bn2(self.conv1(n), mask))
        y = self.conv2(h)
        if self.plain:
            return y
        return y + (x if self.ident is None else self.ident(n))


class Direction(nn.Module):
    def __init__(self, cin, units):
        super().__init__()
        self.wx = nn.Linear(cin, 4 * units, bias=False)
        self.wh = nn.Linear(units, 4 * units, bias=False)
        self.bn, self.units = UttNorm(4 * units, 1e-8), units

    def forward(self, x, mask, lengths, reverse):  # x [N, T, C]
        g = self.bn(self.wx(x).transpose(1, 2), mask).transpose(1, 2)
        n, t, _ = g.shape
        index = torch.arange(t).expand(n, t)
        if reverse:  # within the true length
            index = torch.where(index < lengths[:, None], lengths[:, None] - 1 - index, index)
            g = torch.gather(g, 1, index[:, :, None].expand_as(g))
        h = c = g.new_zeros(n, self.units)
        out = []
        for k in range(t):
            a, i, f, o = (g[:, k] + self.wh(h)).chunk(4, 1)
            c = c * torch.sigmoid(f) + torch.sigmoid(i) * torch.tanh(a)
            h = torch.tanh(c) * torch.sigmoid(o)
            out.append(h)
        y = torch.stack(out, 1)
        if reverse:
            y = torch.gather(y, 1, index[:, :, None].expand_as(y))
        return y * mask.transpose(1, 2)


class WRBN(nn.Module):
    def __init__(self, bins, stem, widths, depths, units, dense, classes, plain):
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 3, (2, 1), 1, bias=False)
        blocks, cin = [], stem
        for s, (w, d) in enumerate(zip(widths, depths)):
            for k in range(d):
                blocks.append(Block(cin, w, 2 if s > 0 and k == 0 else 1, plain))
                cin = w
        self.blocks, self.bn = nn.ModuleList(blocks), UttNorm(cin, 1e-5)
        rows = math.ceil(bins / 2)
        for _ in widths[1:]:
            rows = math.ceil(rows / 2)
        self.pool = nn.Linear(rows, 1)
        self.lstm = nn.ModuleList([nn.ModuleList([Direction(cin, units), Direction(cin, units)]),
                                   nn.ModuleList([Direction(units, units), Direction(units, units)])])
        self.fc1, self.bn1 = nn.Linear(2 * units, dense, bias=False), UttNorm(dense, 1e-8)
        self.fc2 = nn.Linear(dense, classes)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                fan = m.weight[0].numel()
                gain = 2.0 if isinstance(m, nn.Conv2d) else 1.0
                nn.init.normal_(m.weight, std=math.sqrt(gain / fan))
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x, lengths):
        t = x.shape[3]
        flat = (torch.arange(t)[None, :] < lengths[:, None]).float()[:, None, :]  # [N, 1, T]
        mask = flat[:, :, None, :]
        h = self.conv1(x) * mask
        for b in self.blocks:
            h = b(h, mask) * mask
        h = F.elu(self.bn(h, mask))
        h = F.elu(self.pool(h.transpose(2, 3)).squeeze(3)).transpose(1, 2)  # [N, T, C]
        for k, (fw, bw) in enumerate(self.lstm):
            a, b = fw(h, flat, lengths, False), bw(h, flat, lengths, True)
            h = a + b if k == 0 else torch.cat([a, b], 2)
        h = F.elu(self.bn1(self.fc1(h).transpose(1, 2), flat)).transpose(1, 2)
        z = self.fc2(h) * flat.transpose(1, 2)
        return z.sum(1) / lengths[:, None]  # the mean over the utterance's frames


def shapes(lengths, buckets):
    s = sorted(lengths)
    return sorted({s[math.ceil(len(s) * b / buckets) - 1] for b in range(1, buckets + 1)})


def epoch_batches(lengths, bounds, batch, rng):
    groups, at = [[] for _ in bounds], None
    for i, n in enumerate(lengths):
        groups[next(b for b, f in enumerate(bounds) if n <= f)].append(i)
    out, carry = [], []
    for b, g in enumerate(groups):
        rng.shuffle(g)
        pool = carry + g
        while len(pool) >= batch:
            out.append((pool[:batch], bounds[b]))
            pool = pool[batch:]
        carry = pool
    rng.shuffle(out)
    return out


def collate(items, data, t):
    x = torch.zeros(len(items), *data[0][0].shape[:2], t)
    for j, i in enumerate(items):
        x[j, :, :, :data[i][0].shape[2]] = data[i][0]
    return x, torch.tensor([data[i][0].shape[2] for i in items]), torch.tensor([data[i][1] for i in items])


@torch.no_grad()
def error(net, data):
    wrong = 0
    for x, y in data:
        wrong += int(net(x[None], torch.tensor([x.shape[2]])).argmax() != y)
    return 100 * wrong / len(data)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("recordings", type=pathlib.Path)
    p.add_argument("--speaker", default="theo")
    p.add_argument("--plain", action="store_true")
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--buckets", type=int, default=4)
    p.add_argument("--bins", type=int, default=40)
    p.add_argument("--stem", type=int, default=16)
    p.add_argument("--widths", default="16,32,64")
    p.add_argument("--depths", default="1,1,1")
    p.add_argument("--units", type=int, default=64)
    p.add_argument("--dense", type=int, default=128)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--drop", default="5,7", help="epochs after which the rate is divided by ten")
    p.add_argument("--decay", type=float, default=1e-4)
    p.add_argument("--clip", type=float, default=5.0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    o = p.parse_args()
    torch.manual_seed(o.seed)
    torch.set_num_threads(o.threads)
    rng = np.random.default_rng(o.seed)
    sets = {"train": [], "test": []}
    for f in sorted(o.recordings.glob("*.wav")):
        digit, speaker, _ = f.stem.split("_")
        sets["test" if speaker == o.speaker else "train"].append((features(f, o.bins), int(digit)))
    train, test = sets["train"], sets["test"]
    numbers = lambda s: [int(v) for v in s.split(",")]
    net = WRBN(o.bins, o.stem, numbers(o.widths), numbers(o.depths), o.units, o.dense, 10, o.plain)
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(train)} training and {len(test)} test utterances of {o.speaker}", flush=True)
    opt = torch.optim.Adam(net.parameters(), lr=o.rate, weight_decay=o.decay)
    lengths = [x.shape[2] for x, _ in train]
    bounds, start = shapes(lengths, o.buckets), time.time()
    for epoch in range(o.epochs):
        for g in opt.param_groups:
            g["lr"] = o.rate * 0.1 ** sum(epoch >= d for d in numbers(o.drop))
        loss = wrong = n = 0
        for items, t in epoch_batches(lengths, bounds, o.batch, rng):
            x, l, y = collate(items, train, t)
            z = net(x, l)
            e = F.cross_entropy(z, y)
            opt.zero_grad()
            e.backward()
            if o.clip:
                nn.utils.clip_grad_norm_(net.parameters(), o.clip)
            opt.step()
            loss, wrong, n = loss + e.item() * len(y), wrong + int((z.argmax(1) != y).sum()), n + len(y)
        if epoch % 2 == 1 or epoch == o.epochs - 1:
            print(f"epoch {epoch + 1}: loss {loss / n:.4f}, training error {100 * wrong / n:.2f} %, utterance error of {o.speaker} {error(net, test):.2f} %, "
                  f"{time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
