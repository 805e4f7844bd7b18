#!/usr/bin/env python3
"""Compares Fourier transforms in float32 under filter banks: docs/speech.md has the table.

    python3 testdata/speech/transforms.py

It needs numpy, torch (whose CPU transform is pocketfft or MKL) and kaldi-native-fbank. Windows, mel weights and logarithms are the same in all but the last; a split-radix transform
(Sorensen et al. 1986) stands for Kaldi's.
"""

import kaldi_native_fbank as knf
import numpy as np
import torch

RATE, BINS, LOW = 8000, 80, 20
LENGTH, SHIFT, PADDED = 200, 80, 256


def windows(x):
    """Povey windows of the samples without their mean, pre-emphasised, [frames, PADDED]."""
    x = x.astype(np.float32)
    w = ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / (LENGTH - 1))) ** 0.85).astype(np.float32)
    out = []
    for t in range(1 + (len(x) - LENGTH) // SHIFT):
        f = x[t * SHIFT : t * SHIFT + LENGTH].copy()
        f -= np.float32(f.sum(dtype=np.float32) / np.float32(LENGTH))
        g = f.copy()
        g[1:] -= np.float32(0.97) * f[:-1]
        g[0] -= np.float32(0.97) * f[0]
        out.append(g * w)
    return np.pad(np.array(out, np.float32), ((0, 0), (0, PADDED - LENGTH)))


def mel_weights():
    def mel(f):
        return 1127 * np.log(1 + f / 700)

    step = (mel(RATE / 2) - mel(LOW)) / (BINS + 1)
    points = mel(np.arange(PADDED // 2) * RATE / PADDED)
    weights = np.zeros((BINS, PADDED // 2), np.float32)
    for b in range(BINS):
        left, centre, right = (mel(LOW) + (b + i) * step for i in range(3))
        weights[b] = np.maximum(0, np.minimum((points - left) / (centre - left), (right - points) / (right - centre)))
    return weights


def split_radix(x):
    n = x.shape[-1]
    if n == 1:
        return x
    if n == 2:
        return np.stack([x[..., 0] + x[..., 1], x[..., 0] - x[..., 1]], -1)
    even, one, three = split_radix(x[..., ::2]), split_radix(x[..., 1::4]), split_radix(x[..., 3::4])
    k = np.arange(n // 4)
    p, q = np.exp(-2j * np.pi * k / n).astype(np.complex64) * one, np.exp(-6j * np.pi * k / n).astype(np.complex64) * three
    total, difference = p + q, np.complex64(-1j) * (p - q)
    low, high = even[..., : n // 4], even[..., n // 4 :]
    return np.concatenate([low + total, high + difference, low - total, high - difference], -1)


def bank(spectrum, weights):
    power = (spectrum.real.astype(np.float32) ** 2 + spectrum.imag.astype(np.float32) ** 2)[:, : PADDED // 2]
    return np.log(np.maximum(power @ weights.T, np.float32(1.1920929e-07)))


def native(x):
    o = knf.FbankOptions()
    o.frame_opts.samp_freq, o.frame_opts.dither, o.mel_opts.num_bins = RATE, 0, BINS
    f = knf.OnlineFbank(o)
    f.accept_waveform(RATE, x.astype(np.float32).tolist())
    f.input_finished()
    return np.array([f.get_frame(i) for i in range(f.num_frames_ready)], np.float32)


def main():
    rng, weights, found = np.random.default_rng(0), mel_weights(), {}
    for _ in range(200):
        t = np.arange(RATE) / RATE
        tone = 30000 * np.sin(2 * np.pi * rng.uniform(100, 400) * t + rng.uniform(0, 6)) * np.hanning(RATE)
        x = np.round(tone + rng.normal(0, 0.3, RATE)).astype(np.int16)
        f = windows(x)
        banks = {
            "float64": bank(np.fft.rfft(f.astype(np.float64)), weights),
            "split radix": bank(split_radix(f.astype(np.complex64)), weights),
            "pocketfft": bank(torch.fft.rfft(torch.tensor(f)).numpy(), weights),
            "kaldi-native-fbank": native(x),
        }
        names = list(banks)
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                d = np.abs(banks[a] - banks[b])
                most, above, size = found.get((a, b), (0, 0, 0))
                found[a, b] = max(most, d.max()), above + int((d > 1e-3).sum()), size + d.size
    for (a, b), (most, above, size) in found.items():
        print(f"{a}, {b}: largest {most:.2e}, above 1e-3: {above} of {size}")


main()
