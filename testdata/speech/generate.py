#!/usr/bin/env python3
"""Makes the fixtures of this folder: what kaldi-native-fbank computes for real recordings, deltas by Kaldi's definition, and archives as kaldiio
writes and reads them.

    python3 testdata/speech/generate.py RECORDINGS

RECORDINGS is the folder of the Free Spoken Digit Dataset's files (https://github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0), two
of which are copied here (README.md names them). It needs numpy, scipy, soundfile, kaldi-native-fbank and kaldiio; versions.json has those that were used.

    NAME.wav            a recording at 8 kHz, as it stands in the data set
    audio/KIND.wav      0.05 s of two channels as libsndfile writes each encoding, audio/KIND.flac likewise
    audio/expected.ark  their samples in the range of 16-bit integers, [samples, channels]
    fbank.ark           NAME-RATE-BINS: log-mel filter banks of NAME, float matrices; dither is off
    options.ark         the same of one recording with other options, one archive entry each
    kinds.ark           a matrix or vector of each kind as kaldiio writes them: FM, DM, FV, DV, CM, CM2, CM3 by all of its methods
    kinds.txt           the same as text, with an alignment
    kinds.ark.gz        kinds.ark, compressed
    integers.ark        alignments
    expected.ark        what kaldiio reads from kinds.ark, kinds.txt and integers.ark, as matrices of doubles
    deltas.ark          filter banks with deltas of order 1 and 2, by Kaldi's definition in float64, and statistics and results of CMVN
"""

import gzip
import json
import pathlib
import shutil
import sys
from importlib.metadata import version

import kaldi_native_fbank as knf
import kaldiio
import numpy as np
import soundfile
from scipy.io import wavfile
from scipy.signal import resample_poly

HERE = pathlib.Path(__file__).parent
NAMES = ["6_jackson_7", "3_theo_12"]


def save(name, entries):
    kaldiio.save_ark(str(HERE / name), entries)


def resampled(samples):
    """Twice the rate, in 16 bits; the Go test reads these samples from NAME-16000.wav."""
    return np.clip(np.round(resample_poly(samples.astype(np.float64), 2, 1)), -32768, 32767).astype(np.int16)


def fbank(samples, rate, bins, **changes):
    o = knf.FbankOptions()
    o.frame_opts.samp_freq = rate
    o.frame_opts.dither = 0
    o.mel_opts.num_bins = bins
    for key, value in changes.items():
        for part in (o, o.frame_opts, o.mel_opts):
            if hasattr(part, key):
                setattr(part, key, value)
                break
        else:
            raise SystemExit(f"no option {key}")
    f = knf.OnlineFbank(o)
    f.accept_waveform(rate, samples.astype(np.float32).tolist())
    f.input_finished()
    return np.array([f.get_frame(i) for i in range(f.num_frames_ready)], np.float32)


def add_deltas(x, order=2, window=2):
    """DeltaFeatures of Kaldi's feature-functions.cc: the filters of higher orders are convolutions of that of the first."""
    x = x.astype(np.float64)
    scales = [np.ones(1)]
    slope = np.arange(-window, window + 1) / np.sum(np.arange(-window, window + 1) ** 2)
    for _ in range(order):
        scales.append(np.convolve(scales[-1], slope))
    out = []
    for s in scales:
        half = len(s) // 2
        rows = np.clip(np.arange(len(x))[:, None] + np.arange(-half, half + 1)[None, :], 0, len(x) - 1)
        out.append(np.einsum("tjd,j->td", x[rows], s))
    return np.concatenate(out, 1)


def archives():
    """Every kind of object, and what kaldiio makes of it."""
    rng = np.random.default_rng(7)
    m = (rng.standard_normal((23, 5)) * [1, 10, 0.01, 100, 0] + [0, 5, -3, 1000, 2]).astype(np.float32)
    path = HERE / "kinds.ark"
    path.unlink(missing_ok=True)
    kaldiio.save_ark(str(path), {"FM": m, "DM": m.astype(np.float64) / 3, "FV": m[:, 1], "DV": m[:, 1].astype(np.float64) / 3,
                                 "row": m[:1], "empty": np.zeros((0, 0), np.float32)}, append=True)
    for method in range(1, 8):
        kaldiio.save_ark(str(path), {f"method{method}": m, f"short{method}": m[:2]}, append=True, compression_method=method)
    for rows in (1, 3, 4, 5, 9):
        kaldiio.save_ark(str(path), {f"rows{rows}": m[:rows]}, append=True, compression_method=2)
    (HERE / "kinds.ark.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    kaldiio.save_ark(str(HERE / "kinds.txt"), {"text-matrix": m, "text-row": m[:1] + 0.5, "text-vector": m[:, 1], "text-integers": np.array([3, 0, 2041], np.int32)}, text=True)
    kaldiio.save_ark(str(HERE / "integers.ark"), {"utt1": np.array([0, 1, 1, 2041], np.int32), "utt2": np.array([-1], np.int32), "none": np.zeros(0, np.int32)})
    expected = {}
    for name in ("kinds.ark", "kinds.txt", "integers.ark"):
        for key, value in kaldiio.load_ark(str(HERE / name)):
            assert value.dtype in (np.float32, np.float64, np.int32), value.dtype
            expected[key] = np.atleast_2d(value.astype(np.float64)) if value.size else np.zeros((0, 0))
    save("expected.ark", expected)


def recordings():
    """The same sound in every encoding; libsndfile is the reference of what its bytes mean."""
    (HERE / "audio").mkdir(exist_ok=True)
    t = np.arange(551) / 11025
    x = np.stack([0.6 * np.sin(2 * np.pi * 440 * t), np.linspace(-1, 0.99, len(t))], 1)
    expected = {}
    for kind, subtype, file in [("pcm8", "PCM_U8", "wav"), ("pcm16", "PCM_16", "wav"), ("pcm24", "PCM_24", "wav"), ("pcm32", "PCM_32", "wav"), ("float32", "FLOAT", "wav"),
                                ("float64", "DOUBLE", "wav"), ("extensible16", "PCM_16", "wavex"), ("extensible-float32", "FLOAT", "wavex"), ("flac16", "PCM_16", "flac"),
                                ("flac24", "PCM_24", "flac"), ("flac8", "PCM_S8", "flac"), ("alaw", "ALAW", "wav"), ("aiff", "PCM_16", "aiff"), ("ogg", "VORBIS", "ogg")]:
        ending = "wav" if file == "wavex" else file
        path = HERE / "audio" / f"{kind}.{ending}"
        soundfile.write(path, x, 11025, subtype=subtype, format=file.upper())
        if kind not in ("alaw", "aiff", "ogg"):  # those are there to be refused
            expected[f"{kind}.{ending}"] = (soundfile.read(path, dtype="float64")[0] * 32768).astype(np.float32)
    save("audio/expected.ark", expected)


def main():
    source = pathlib.Path(sys.argv[1])
    banks, first = {}, None
    for name in NAMES:
        shutil.copyfile(source / f"{name}.wav", HERE / f"{name}.wav")
        rate, x = wavfile.read(source / f"{name}.wav")
        double = resampled(x)
        wavfile.write(HERE / f"{name}-16000.wav", 2 * rate, double)
        for bins in (40, 80):
            banks[f"{name}-{rate}-{bins}"] = fbank(x, rate, bins)
            banks[f"{name}-{2 * rate}-{bins}"] = fbank(double, 2 * rate, bins)
        first = x if first is None else first
    save("fbank.ark", banks)
    archives()
    recordings()
    save("options.ark", {
        "no-snip": fbank(first, 8000, 23, snip_edges=False),
        "hamming": fbank(first, 8000, 23, window_type="hamming"),
        "hanning": fbank(first, 8000, 23, window_type="hanning"),
        "sine": fbank(first, 8000, 23, window_type="sine"),
        "blackman": fbank(first, 8000, 23, window_type="blackman"),
        "rectangular": fbank(first, 8000, 23, window_type="rectangular"),
        "edges": fbank(first, 8000, 23, low_freq=100.0, high_freq=-400.0),
        "plain": fbank(first, 8000, 23, preemph_coeff=0.0, remove_dc_offset=False),
        "magnitude": fbank(first, 8000, 23, use_power=False),
        "energy": fbank(first, 8000, 23, use_energy=True),
        "late-energy": fbank(first, 8000, 23, use_energy=True, raw_energy=False, energy_floor=100000.0),
        "frames": fbank(first, 8000, 23, frame_length_ms=32.0, frame_shift_ms=16.0),
    })
    x = banks[f"{NAMES[0]}-8000-40"]
    short = x[:3]
    stats = np.zeros((2, x.shape[1] + 1))
    stats[0, :-1], stats[0, -1], stats[1, :-1] = x.sum(0, dtype=np.float64), len(x), (x.astype(np.float64) ** 2).sum(0)
    save("deltas.ark", {
        "deltas": add_deltas(x[:20]), "deltas-short": add_deltas(short), "deltas-wide": add_deltas(x[:20], 1, 3),
        "stats": stats, "mean": x - x.mean(0, dtype=np.float64),
        "variance": (x - x.mean(0, dtype=np.float64)) / x.std(0, dtype=np.float64),
    })
    versions = {name: version(name) for name in ("numpy", "scipy", "soundfile", "kaldi-native-fbank", "kaldiio")}
    (HERE / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")


main()
