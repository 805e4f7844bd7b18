"""Writes small pictures of every kind that ImageNet holds, and what Pillow makes of them.

Needs Pillow and NumPy. Each NAME.jpg has beside it NAME.rgb.png, and each NAME.webp and so on NAME.webp.rgb.png, its pixels as
Image.open(...).convert("RGB") gives them; exif-K.* have the EXIF orientation K and beside them NAME.upright.png, what ImageOps.exif_transpose makes of them.
resized-WxH.png is source.png after Image.resize((W, H), BILINEAR), and bicubic-WxH.png after BICUBIC.
"""
import pathlib

import numpy as np
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent


def smooth(w, h):
    y, x = np.mgrid[0:h, 0:w]
    r = 128 + 100 * np.sin(x / 5.0) * np.cos(y / 7.0)
    g = 255.0 * x / w
    b = 255.0 * ((x // 6 + y // 6) % 2) * 0.6 + 0.4 * 255 * y / h
    return Image.fromarray(np.stack([r, g, b], -1).clip(0, 255).astype(np.uint8))


def keep(name, image, **options):
    path = here / name
    image.save(path, **options)
    Image.open(path).convert("RGB").save(path.with_suffix(".rgb.png"), optimize=True)


source = smooth(61, 47)
source.save(here / "source.png", optimize=True)
for w, h in [(61, 47), (30, 23), (7, 5), (122, 94), (200, 154), (24, 47), (61, 20)]:
    source.resize((w, h), Image.BILINEAR).save(here / f"resized-{w}x{h}.png", optimize=True)

for w, h in [(30, 23), (7, 5), (122, 94), (61, 20)]:
    source.resize((w, h), Image.BICUBIC).save(here / f"bicubic-{w}x{h}.png", optimize=True)

for name, sampling in [("yuv444", "4:4:4"), ("yuv422", "4:2:2"), ("yuv420", "4:2:0")]:
    keep(f"{name}.jpg", source, quality=92, subsampling=sampling)
keep("progressive.jpg", source, quality=85, progressive=True)
keep("grey.jpg", source.convert("L"), quality=90)
keep("cmyk.jpg", source.convert("CMYK"), quality=95)
keep("narrow.jpg", smooth(3, 40), quality=95, subsampling="4:2:0")
exif = Image.Exif()
exif[0x0112] = 6  # orientation: to be turned by 90 degrees, which neither Pillow's open nor torchvision does
keep("turned.jpg", source, quality=90, exif=exif)

# Formats that people have besides JPEG and PNG.
rng = np.random.default_rng(5)


def pixels(name):
    Image.open(here / name).convert("RGB").save(here / f"{name}.rgb.png", optimize=True)


def keep(name, image, **options):
    image.save(here / name, **options)
    pixels(name)


def textured(w, h):
    noise = rng.normal(0, 40, (h, w, 3))
    return Image.fromarray((np.asarray(smooth(w, h)) + noise).clip(0, 255).astype(np.uint8))


even, odd = textured(24, 18), textured(23, 17)
keep("lossy-even.webp", even, quality=60)
keep("lossy-odd.webp", odd, quality=90)
keep("lossy-one.webp", textured(1, 3), quality=90)
keep("lossless.webp", odd, lossless=True)
keep("few-colours.webp", odd.quantize(5).convert("RGB"), lossless=True)
see_through = odd.convert("RGBA")
see_through.putalpha(Image.fromarray((np.mgrid[0:17, 0:23][1] * 11).astype(np.uint8)))
keep("alpha-lossy.webp", see_through, quality=80, exact=True)
keep("alpha-lossless.webp", see_through, lossless=True, exact=True)
keep("animated.webp", odd, save_all=True, append_images=[even.resize((23, 17))], lossless=True)
keep("frames.gif", odd.quantize(30), save_all=True, append_images=[even.resize((23, 17)).quantize(30)])
keep("transparent.gif", odd.quantize(16), transparency=3)
keep("grey.gif", odd.convert("L"))
keep("rgb.bmp", odd)
keep("palette.bmp", odd.quantize(16))
keep("bits.bmp", odd.convert("1"))
keep("alpha.bmp", see_through)
for compression in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
    keep(f"{compression}.tif", odd, compression=compression)
keep("grey.tif", odd.convert("L"))
keep("group4.tif", odd.convert("1"), compression="group4")
keep("palette.tif", odd.quantize(16))
keep("rgb.ppm", odd)
keep("grey.pgm", odd.convert("L"))
keep("bits.pbm", odd.convert("1"))
small = np.asarray(odd) // 16
for name, text in {
    "text.ppm": "P3 # a comment\n23 17\n15\n" + " ".join(map(str, small.ravel())) + "\n",
    "text.pgm": "P2\n23 17 15\n" + "\n".join(map(str, small[..., 0].ravel())) + "\n",
    "text.pbm": "P1\n23 17\n" + "".join(map(str, small[..., 0].ravel() % 2)) + "\n",
}.items():
    (here / name).write_text(text)
    pixels(name)

# A first frame that does not fill the screen: the other pixels have the transparent colour, or colour 0.
table = bytes(range(30, 30 + 12))
codes = sum(c << 3 * i for i, c in enumerate([4, 0, 1, 4, 2, 3, 4, 1, 2, 5]))  # 4 clears the table, 5 ends
frame = b"\x2c" + bytes([2, 0, 1, 0, 3, 0, 2, 0, 0]) + b"\x02\x04" + codes.to_bytes(4, "little") + b"\x00\x3b"
for name, control in [("corner", b""), ("corner-transparent", b"\x21\xf9\x04\x01\x00\x00\x02\x00")]:
    (here / f"{name}.gif").write_bytes(b"GIF89a" + bytes([7, 0, 5, 0, 0x81, 1, 0]) + table + control + frame)
    pixels(f"{name}.gif")

turning = textured(9, 6)
for k in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = k
    name = here / f"exif-{k}.{['', 'jpg', 'png', 'webp', 'tif', 'jpg', 'png', 'webp', 'tif'][k]}"
    turning.save(name, exif=exif, **({"quality": 95, "subsampling": 0} if name.suffix == ".jpg" else {"lossless": True} if name.suffix == ".webp" else {}))
    ImageOps.exif_transpose(Image.open(name)).convert("RGB").save(name.with_suffix(".upright.png"), optimize=True)
