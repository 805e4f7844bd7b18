#!/usr/bin/env python3
"""Makes small JPEG files of every kind, and digests of the pixels that Pillow decodes from them.

    python3 testdata/jpeg/generate.py [VAL.TAR]

It needs Pillow and NumPy (digests.txt names the versions) and writes, always the same for the same versions,

    made.tar.gz       the files: what Pillow's encoder writes of sizes, qualities and samplings, and what it does not write, made of coefficients by the small encoder below
    digests.txt       for each, its size and the SHA-256 of Image.open(NAME).convert("RGB").tobytes()
    photographs.txt   the same for VAL.TAR, a tar of val/WNID/*.JPEG: photographs of ImageNet, which are not kept here

Pillow's wheels hold libjpeg-turbo, and its defaults are used: accurate integer transform, fancy upsampling.
"""

import gzip
import hashlib
import io
import pathlib
import struct
import sys
import tarfile

import numpy as np
import PIL
from PIL import Image, features

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(13)

# --------------------------------------------------------------------- an encoder of coefficients

ZIGZAG = [8 * y + x for x, y in sorted(((x, y) for y in range(8) for x in range(8)), key=lambda p: (p[0] + p[1], p[0] if (p[0] + p[1]) % 2 == 0 else p[1]))]


class Code:
    """A Huffman code for symbols: of one length, or with one code each of 1 to 7 bits and the others of 16."""

    def __init__(self, symbols, long):
        self.symbols = list(symbols)
        n = len(self.symbols)
        self.counts = [0] * 16
        if long:
            for i in range(7):
                self.counts[i] = 1
            self.counts[15] = n - 7
        else:
            self.counts[next(b for b in range(1, 17) if n < 1 << b) - 1] = n
        self.codes, code, k = {}, 0, 0
        for length in range(1, 17):
            for _ in range(self.counts[length - 1]):
                self.codes[self.symbols[k]] = (code, length)
                code, k = code + 1, k + 1
            code <<= 1

    def segment(self, kind):
        return bytes([kind]) + bytes(self.counts) + bytes(self.symbols)


class Bits:
    def __init__(self):
        self.out, self.acc, self.n = bytearray(), 0, 0

    def put(self, value, n):
        self.acc, self.n = self.acc << n | value & ((1 << n) - 1), self.n + n
        while self.n >= 8:
            b = self.acc >> self.n - 8 & 255
            self.out.append(b)
            if b == 255:
                self.out.append(0)
            self.n -= 8
            self.acc &= (1 << self.n) - 1

    def flush(self):
        if self.n:
            self.put((1 << 8 - self.n) - 1, 8 - self.n)


def size_of(v):
    return int(abs(v)).bit_length()


class Writer:
    """Writes files of given coefficients. comps: (id, h, v, table); blocks[i] is [rows, columns, 64] in zigzag order, with the blocks that fill the last units up."""

    def __init__(self, w, h, comps, weight=1.0, extreme=False):
        self.w, self.h, self.comps = w, h, comps
        self.hmax, self.vmax = max(c[1] for c in comps), max(c[2] for c in comps)
        self.mx, self.my = -(-w // (8 * self.hmax)), -(-h // (8 * self.vmax))
        self.steps = [(np.arange(64) // 2 + 3 + 5 * t) * (16 if extreme else 1) for t in range(4)]
        self.blocks = []
        for _, ch, cv, t in comps:
            b = rng.laplace(0, 1, (self.my * cv, self.mx * ch, 64)) * weight * 60 / (1 + np.arange(64)) ** 0.9 / self.steps[t]
            b = np.round(b * (rng.random(b.shape) < 0.5)).astype(int)
            b[..., 0] = np.round(rng.normal(0, 250, b.shape[:2]) / self.steps[t][0])
            if extreme:
                b = np.where(rng.random(b.shape) < 0.2, rng.integers(-1023, 1024, b.shape), 0)
                b[::2, ::2, 8:] = 0
                b[1::2, 1::2, [k for k in range(64) if ZIGZAG[k] > 7]] = 0  # a first row alone
            self.blocks.append(np.clip(b, -1023, 1023))

    def size(self, i):
        _, ch, cv, _ = self.comps[i]
        return -(-(-(-self.w * ch // self.hmax)) // 8), -(-(-(-self.h * cv // self.vmax)) // 8)

    def units(self, scan):
        """The blocks of a scan: lists of (component, row, column), a list for each unit."""
        if len(scan) == 1:
            bw, bh = self.size(scan[0])
            return [[(scan[0], y, x)] for y in range(bh) for x in range(bw)]
        return [[(i, my * self.comps[i][2] + v, mx * self.comps[i][1] + u) for i in scan for v in range(self.comps[i][2]) for u in range(self.comps[i][1])]
                for my in range(self.my) for mx in range(self.mx)]

    def scan(self, scan, first, last, high, low, dc, ac, restart):
        r = Bits()
        before, run, pending = {}, 0, []

        def value(b, k):
            v = int(self.blocks[b[0]][b[1], b[2], k])
            return v >> low if k == 0 else (abs(v) >> low) * (1 if v > 0 else -1)

        def symbol(code, s):
            r.put(*code.codes[s])

        def end_run():
            nonlocal run, pending
            if run:
                n = run.bit_length() - 1
                symbol(ac, n << 4)
                r.put(run, n)
                for bit in pending:
                    r.put(bit, 1)
            run, pending = 0, []

        for n, unit in enumerate(self.units(scan)):
            if restart and n and n % restart == 0:
                end_run()
                r.flush()
                r.out += bytes([255, 0xD0 + (n // restart - 1) % 8])
                before = {}
            for b in unit:
                if first == 0:
                    v = value(b, 0)
                    if high:
                        r.put(v, 1)
                    else:
                        d = v - before.get(b[0], 0)
                        before[b[0]] = v
                        symbol(dc, size_of(d))
                        r.put(d if d >= 0 else d - 1, size_of(d))
                zeros, bits = 0, []
                ks = range(max(first, 1), last + 1)
                end = max((k for k in ks if abs(value(b, k)) == 1), default=-1)
                for k in ks:
                    v = value(b, k)
                    if v == 0:
                        zeros += 1
                        continue
                    while zeros > 15 and (not high or k <= end):
                        end_run()
                        symbol(ac, 0xF0)
                        for bit in bits:
                            r.put(bit, 1)
                        zeros, bits = zeros - 16, []
                    if high and abs(v) > 1:
                        bits.append(abs(v) & 1)
                        continue
                    end_run()
                    symbol(ac, zeros << 4 | size_of(v))
                    r.put(v if v > 0 else v - 1, size_of(v))
                    for bit in bits:
                        r.put(bit, 1)
                    zeros, bits = 0, []
                if zeros or bits:
                    run, pending = run + 1, pending + bits
                    if not self.progressive or run == 0x7FFF or len(pending) > 900:
                        end_run()
        end_run()
        r.flush()
        return bytes(r.out)

    def file(self, sof=0xC0, scans=None, restart=0, long=False, wide=False, adobe=None, jfif=0, noise=False):
        self.progressive = sof == 0xC2
        everything = list(range(len(self.comps)))
        scans = scans or [(everything, 0, 63, 0, 0)]

        def segment(marker, body):
            return bytes([255] * (3 if noise else 1) + [marker]) + struct.pack(">H", len(body) + 2) + body

        out = b"\xff\xd8"
        if jfif:
            out += segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"[:jfif])
        if adobe is not None:
            out += segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe))
        if noise:
            out += segment(0xFE, b"\xff\xd9\xff\xda") + b"lost bytes\xff\x00"
        for t in range(4):
            out += segment(0xDB, bytes([t | wide << 4]) + b"".join(struct.pack(">H" if wide else "B", s) for s in self.steps[t]))
        out += segment(sof, struct.pack(">BHHB", 8, self.h, self.w, len(self.comps)) + b"".join(bytes([c[0], c[1] << 4 | c[2], c[3]]) for c in self.comps))
        dc = Code(range(12), long)
        ac = Code([0, 1, 0x11, 2, 0x21, 3, 0x31] + [s for s in range(256) if s not in (0, 1, 0x11, 2, 0x21, 3, 0x31) and s & 15 < 11], long)
        out += segment(0xC4, dc.segment(0) + ac.segment(0x10)) + segment(0xC4, dc.segment(1)) + segment(0xC4, ac.segment(0x11))
        if restart:
            out += segment(0xDD, struct.pack(">H", restart))
        for n, (scan, first, last, high, low) in enumerate(scans):
            if noise and n:
                out += segment(0xFE, b"between scans") + b"\xff\xd3"
            head = bytes([len(scan)]) + b"".join(bytes([self.comps[i][0], 0x11 if i else 0]) for i in scan) + bytes([first, last, high << 4 | low])
            out += segment(0xDA, head) + self.scan(scan, first, last, high, low, dc, ac, restart)
        return out + b"\xff\xd9"


def refined(n):
    """Scans of a progressive file of n components with every kind of scan."""
    everything = list(range(n))
    scans = [(everything, 0, 0, 0, 1)]
    for i in everything:
        scans += [([i], 1, 5, 0, 2), ([i], 6, 63, 0, 2)]
    for i in everything:
        scans += [([i], 1, 63, 2, 1)]
    scans += [([i], 0, 0, 1, 0) for i in everything] if n > 1 else [(everything, 0, 0, 1, 0)]
    return scans + [([i], 1, 63, 1, 0) for i in everything]


# --------------------------------------------------------------------- the files

made = {}


def scene(w, h, mode="RGB"):
    """A smooth picture with edges and noise."""
    y, x = np.mgrid[0:h, 0:w]
    a = np.stack([128 + 120 * np.sin(x / 3.1) * np.cos(y / 4.3), 255 * (x + 1) / (w + 1), 255.0 * ((x // 5 + y // 3) % 2), 60 + 40 * np.cos(x / 2.0 + y)], -1)
    a = np.clip(a + rng.normal(0, 12, a.shape), 0, 255).astype(np.uint8)
    return Image.fromarray({"RGB": a[..., :3], "CMYK": a, "L": a[..., 0]}[mode], mode)


def pillow(name, image, **options):
    f = io.BytesIO()
    image.save(f, "JPEG", **options)
    made[name + ".jpg"] = f.getvalue()


def main():
    samplings = {"444": "4:4:4", "422": "4:2:2", "420": "4:2:0"}
    order = [int(i) for i in rng.permutation(17) + 1]
    sizes = [(w, order[w - 1]) for w in range(1, 18)] + [(1, 1), (1, 17), (17, 1), (16, 16), (17, 17)]
    for w, h in sizes:
        for name, s in samplings.items():
            pillow(f"size-{name}-{w}x{h}", scene(w, h), quality=90, subsampling=s)
        pillow(f"size-grey-{w}x{h}", scene(w, h, "L"), quality=90)
        pillow(f"size-cmyk-{w}x{h}", scene(w, h, "CMYK"), quality=90)
        pillow(f"size-progressive-{w}x{h}", scene(w, h), quality=80, progressive=True)
    pictures = {"RGB": scene(35, 27), "L": scene(35, 27, "L"), "CMYK": scene(35, 27, "CMYK")}
    for q in range(1, 101):
        pillow(f"quality-{q}", pictures["RGB"], quality=q, subsampling=["4:4:4", "4:2:0", "4:2:2"][q % 3])
    for mode, image in pictures.items():
        for name, s in samplings.items() if mode == "RGB" else [("", None)]:
            more = {"subsampling": s} if s else {}
            kind = mode.lower() + name
            pillow(f"optimised-{kind}", image, quality=85, optimize=True, **more)
            pillow(f"progressive-{kind}", image, quality=85, progressive=True, **more)
            pillow(f"restart-{kind}", image, quality=85, restart_marker_blocks=1, **more)
            pillow(f"restart-rows-{kind}", image, quality=85, restart_marker_rows=1, **more)
            pillow(f"restart-progressive-{kind}", image, quality=85, progressive=True, restart_marker_blocks=3, **more)
    pillow("keep-rgb", pictures["RGB"], quality=90, keep_rgb=True)
    pillow("wide-steps", pictures["RGB"], qtables=[[min(1 + 9 * i, 2000) for i in range(64)]] * 2)

    # Sampling factors that libjpeg takes, of colours in the order Y, Cb, Cr.
    factors = {
        "440": "12 11 11", "411": "41 11 11", "410": "42 11 11", "441": "14 11 11", "420": "22 11 11", "422": "21 11 11", "444": "11 11 11",
        "scaled444": "22 22 22", "cb-whole": "22 21 11", "mixed": "22 12 21", "chroma-larger": "11 21 22", "third": "31 11 11", "thirds": "13 11 11", "422-of-4": "41 21 11", "quarter-rows": "24 12 11",
    }
    for name, f in factors.items():
        comps = [(i + 1, int(p[0]), int(p[1]), min(i, 1)) for i, p in enumerate(f.split())]
        for w, h in [(1, 1), (2, 3), (5, 4), (33, 18), (40, 37)]:
            # Units of more than ten blocks are not allowed: one component a scan.
            blocks = sum(c[1] * c[2] for c in comps)
            apart = None if blocks <= 10 else [([i], 0, 63, 0, 0) for i in range(3)]
            made[f"factors-{name}-{w}x{h}.jpg"] = Writer(w, h, comps).file(jfif=14, scans=apart)
    ycc = lambda a="22", b="11", c="11": [(1, int(a[0]), int(a[1]), 0), (2, int(b[0]), int(b[1]), 1), (3, int(c[0]), int(c[1]), 1)]
    four = lambda *f: [(i + 1, int(p[0]), int(p[1]), min(i, 1)) for i, p in enumerate(f)]
    # The same coefficients in several codings: the script is wrong if Pillow decodes them to different pixels.
    for name, comps in {"grey": [(1, 1, 1, 0)], "grey22": [(1, 2, 2, 0)], "420": ycc(), "411": ycc("41"), "440": ycc("12"), "cmyk": four("11", "11", "11", "11")}.items():
        w = Writer(45, 35, comps)
        n = len(comps)
        each = [([i], 0, 63, 0, 0) for i in range(n)]
        spectral = [([i], 0, 0, 0, 0) for i in range(n)] + [([i], k, k + 8, 0, 0) for k in range(1, 64, 9) for i in range(n)]
        same = {
            "baseline": w.file(), "extended": w.file(sof=0xC1), "apart": w.file(scans=each), "restart": w.file(restart=2), "restart-apart": w.file(restart=3, scans=each), "long": w.file(long=True),
            "wide": w.file(sof=0xC1, wide=True), "noise": w.file(noise=True, scans=each), "spectral": w.file(sof=0xC2, scans=spectral), "refined": w.file(sof=0xC2, scans=refined(n)),
            "refined-restart": w.file(sof=0xC2, scans=refined(n), restart=4, long=True),
        }
        if n > 2:
            same["two"] = w.file(scans=[([0], 0, 63, 0, 0), (list(range(1, n)), 0, 63, 0, 0)])
        digests = set()
        for kind, data in same.items():
            made[f"coded-{name}-{kind}.jpg"] = data
            digests.add(pixels(data)[1])
        assert len(digests) == 1, (name, digests)
    # What tells the colours apart.
    rgb = [(ord(c), 1, 1, 0) for c in "RGB"]
    plain = ycc("11")
    for name, comps, options in [
        ("ids-rgb", rgb, {}), ("ids-rgb-jfif", rgb, {"jfif": 14}), ("ids-rgb-jfif-short", rgb, {"jfif": 13}), ("ids-rgb-adobe1", rgb, {"adobe": 1}), ("adobe0", plain, {"adobe": 0}), ("adobe1", plain, {"adobe": 1}), ("adobe2", plain, {"adobe": 2}),
        ("adobe0-jfif", plain, {"adobe": 0, "jfif": 14}), ("ids-other", [(c, 1, 1, 0) for c in (7, 3, 200)], {}), ("adobe0-420", ycc(), {"adobe": 0}),
        ("cmyk-plain", four("11", "11", "11", "11"), {}), ("cmyk-adobe0", four("11", "11", "11", "11"), {"adobe": 0}), ("cmyk-420", four("22", "11", "11", "22"), {"adobe": 0}),
        ("ycck", four("11", "11", "11", "11"), {"adobe": 2}), ("ycck-420", four("22", "11", "11", "22"), {"adobe": 2}), ("ycck-adobe1", four("21", "11", "11", "21"), {"adobe": 1}), ("ycck-mixed", four("21", "11", "11", "11"), {"adobe": 2}),
    ]:
        made[f"colours-{name}.jpg"] = Writer(29, 21, comps).file(**options)
    # Values that no picture has, where 16 bits do not suffice for the sums.
    for name, comps in {"grey": [(1, 1, 1, 0)], "420": ycc()}.items():
        for weight in (2, 8, 30):
            made[f"strong-{name}-{weight}.jpg"] = Writer(64, 48, comps, weight=weight).file()
        made[f"extreme-{name}.jpg"] = Writer(64, 48, comps, extreme=True).file(wide=True)
        made[f"extreme-{name}-progressive.jpg"] = Writer(64, 48, comps, extreme=True).file(sof=0xC2, wide=True, scans=refined(len(comps)))

    head = f"# Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, NumPy {np.__version__}: width, height, SHA-256 of the RGB bytes, file\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data in sorted(made.items()):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    (HERE / "made.tar.gz").write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))
    (HERE / "digests.txt").write_text(head + "".join(line(name, data) for name, data in sorted(made.items())))
    if len(sys.argv) > 1:
        with tarfile.open(sys.argv[1]) as t:
            files = {m.name.split("/")[-1]: t.extractfile(m).read() for m in t if m.isfile() and m.name.lower().endswith(".jpeg")}
        (HERE / "photographs.txt").write_text(head + "".join(line(name, data) for name, data in sorted(files.items())))


def pixels(data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return image.size, hashlib.sha256(image.tobytes()).hexdigest()


def line(name, data):
    (w, h), digest = pixels(data)
    return f"{w} {h} {digest} {name}\n"


main()
