#!/usr/bin/env python3
"""Makes the fixtures of containers, codings and resampling.

    python3 testdata/speech/containers.py

It needs numpy, soundfile (libsndfile), soxr and the program sox 14.4.2. References are libsndfile for what bytes mean, soxr's best quality (VHQ, in float64) and sox's (rate -v) for
resampling.

    audio/NAME.ENDING        0.05 s of two channels at 11025 Hz, as libsndfile or sox writes each
    audio/containers.ark     their samples in the range of 16-bit integers, [samples, channels], as libsndfile reads them
    audio/g711.ark           what libsndfile makes of all 256 bytes of mu-law and A-law
    resample.ark             FROM-TO: noise below 0.4 of the lower rate at FROM, and FROM-TO-soxr, FROM-TO-sox what those make of it at TO, [1, samples] each;
                             FROM-TO-exact: the sum of sincs in float64, which is exact for such noise
"""

import pathlib
import subprocess
import tempfile

import kaldiio
import numpy as np
import soundfile
import soxr

HERE = pathlib.Path(__file__).parent
AUDIO = HERE / "audio"


def containers():
    t = np.arange(551) / 11025
    x = np.stack([0.6 * np.sin(2 * np.pi * 440 * t), np.linspace(-1, 0.99, len(t))], 1)
    expected = {}

    def keep(name, read=None):
        expected[name] = (soundfile.read(read or AUDIO / name, dtype="float64")[0] * 32768).astype(np.float32)

    for name, container, subtype, order in [("mulaw.wav", "WAV", "ULAW", "FILE"), ("alaw.wav", "WAV", "ALAW", "FILE"), ("mulaw-extensible.wav", "WAVEX", "ULAW", "FILE"),
                                            ("rf64.wav", "RF64", "PCM_16", "FILE"), ("rifx.wav", "WAV", "PCM_24", "BIG"), ("wave64.w64", "W64", "PCM_24", "FILE"),
                                            ("wave64-float.w64", "W64", "FLOAT", "FILE"), ("sphere-be.sph", "NIST", "PCM_16", "BIG"), ("sphere-le24.sph", "NIST", "PCM_24", "LITTLE"), ("sphere-alaw.sph", "NIST", "ALAW", "FILE")]:
        soundfile.write(AUDIO / name, x, 11025, format=container, subtype=subtype, endian=order)
        keep(name)
    for name, options in [("sphere-le.sph", ["-L"]), ("sphere-mulaw.sph", ["-e", "u-law"]), ("wave64-mulaw.w64", ["-e", "u-law"])]:
        subprocess.run(["sox", "-D", AUDIO / "pcm16.wav", *options, AUDIO / name], check=True)
        keep(name)
    kaldiio.save_ark(str(AUDIO / "containers.ark"), expected)
    codes = np.arange(256, dtype=np.uint8).tobytes()
    law = {}
    for name, subtype in [("mulaw", "ULAW"), ("alaw", "ALAW")]:
        with tempfile.NamedTemporaryFile(suffix=".raw") as f:
            pathlib.Path(f.name).write_bytes(codes)
            law[name] = (soundfile.read(f.name, samplerate=8000, channels=1, format="RAW", subtype=subtype, dtype="float64")[0] * 32768).astype(np.float32)[None]
    kaldiio.save_ark(str(AUDIO / "g711.ark"), law)


def resampling():
    out = {}
    rng = np.random.default_rng(11)
    for source, target in [(8000, 16000), (44100, 16000), (16000, 8000), (11025, 16000)]:
        n = source // 20
        spectrum = np.fft.rfft(rng.normal(0, 4000, n))
        spectrum[np.fft.rfftfreq(n, 1 / source) > 0.4 * min(source, target)] = 0
        x = (np.fft.irfft(spectrum, n) * np.hanning(n)).astype(np.float32)
        name = f"{source}-{target}"
        out[name] = x[None]
        out[name + "-soxr"] = soxr.resample(x.astype(np.float64), source, target, quality="VHQ").astype(np.float32)[None]
        at = np.arange(len(out[name + "-soxr"][0])) * source / target
        out[name + "-exact"] = np.sinc(at[:, None] - np.arange(n)[None]).dot(x.astype(np.float64)).astype(np.float32)[None]
        with tempfile.TemporaryDirectory() as d:
            soundfile.write(f"{d}/in.wav", x / 32768, source, subtype="FLOAT")
            subprocess.run(["sox", f"{d}/in.wav", f"{d}/out.wav", "rate", "-v", str(target)], check=True)
            out[name + "-sox"] = (soundfile.read(f"{d}/out.wav", dtype="float64")[0] * 32768).astype(np.float32)[None]
    kaldiio.save_ark(str(HERE / "resample.ark"), out)


containers()
resampling()
