#!/usr/bin/env python3
"""Compares what `resnet speech features` wrote with kaldi-native-fbank, reading it with kaldiio.

    resnet speech features RECORDINGS --bins 40 --out feats.ark
    python3 testdata/speech/check.py feats.scp RECORDINGS

Where the two differ by more than 1e-3, both are compared with the same computation by a Fourier transform in float64, to see whose error it is.

RECORDINGS is a folder of WAV files of 16 bits. With --resampled DIR it first writes them at twice the rate to DIR and compares nothing.
"""

import pathlib
import sys

import kaldi_native_fbank as knf
import kaldiio
import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly


def fbank(samples, rate, bins):
    o = knf.FbankOptions()
    o.frame_opts.samp_freq, o.frame_opts.dither, o.mel_opts.num_bins = rate, 0, bins
    f = knf.OnlineFbank(o)
    f.accept_waveform(rate, samples.astype(np.float32).tolist())
    f.input_finished()
    return np.array([f.get_frame(i) for i in range(f.num_frames_ready)], np.float32)


def exact(samples, rate, bins):
    """The filter banks with float32 roundings up to the window, as in Kaldi, and a transform in float64."""
    o = knf.FbankOptions()
    o.frame_opts.samp_freq, o.mel_opts.num_bins = rate, bins
    window = np.array(knf.FeatureWindowFunction(o.frame_opts).window, np.float32)
    padded = 1 << (len(window) - 1).bit_length()
    weights = np.array(knf.MelBanks(o.mel_opts, o.frame_opts).get_matrix(), np.float64)[:, : padded // 2]
    rows = []
    for start in range(0, len(samples) - len(window) + 1, int(rate * 0.01)):
        x = samples[start : start + len(window)].astype(np.float32)
        x = x - np.float32(x.sum(dtype=np.float64)) / np.float32(len(x))
        x = x - np.float32(0.97) * np.concatenate([x[:1], x[:-1]])
        power = np.abs(np.fft.rfft((x * window).astype(np.float64), padded)[: padded // 2]) ** 2
        rows.append(np.log(np.maximum(weights @ power, 1.1920929e-07)))
    return np.array(rows)


def main():
    if sys.argv[1] == "--resampled":
        out = pathlib.Path(sys.argv[2])
        out.mkdir(exist_ok=True)
        for path in sorted(pathlib.Path(sys.argv[3]).glob("*.wav")):
            rate, x = wavfile.read(path)
            x = np.clip(np.round(resample_poly(x.astype(np.float64), 2, 1, axis=0)), -32768, 32767).astype(np.int16)
            wavfile.write(out / path.name, 2 * rate, x)
        return
    scp, source = sys.argv[1], pathlib.Path(sys.argv[2])
    by_scp = kaldiio.load_scp(scp)
    n = frames = over = 0
    worst, errors = (0.0, ""), [0.0, 0.0]
    for key, ours in kaldiio.load_ark(scp.removesuffix(".scp") + ".ark"):
        assert np.array_equal(by_scp[key], ours), key
        rate, x = wavfile.read(source / f"{key}.wav")
        theirs = fbank(x, rate, ours.shape[1])
        assert ours.shape == theirs.shape, (key, ours.shape, theirs.shape)
        diff = np.abs(ours.astype(np.float64) - theirs)
        worst = max(worst, (float(diff.max()), key))
        if (far := diff > 1e-3).any():
            over += int(far.sum())
            true = exact(x, rate, ours.shape[1])
            errors = [max(e, float(np.abs(f - true)[far].max())) for e, f in zip(errors, (ours, theirs))]
        n, frames = n + 1, frames + len(ours)
    assert n == len(by_scp), (n, len(by_scp))
    print(f"{n} utterances, {frames} frames of {ours.shape[1]} values at {rate} Hz: largest difference {worst[0]:.2e} ({worst[1]}), {over} above 1e-3")
    if over:
        print(f"of those, from a transform in float64: ours {errors[0]:.2e}, kaldi-native-fbank {errors[1]:.2e}")


main()
