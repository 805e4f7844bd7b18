"""Writes small pictures of every kind that ImageNet holds, and what Pillow makes of them.

Needs Pillow and NumPy. Each NAME.jpg or .png has beside it NAME.rgb.png, its pixels as Image.open(NAME).convert("RGB") gives them;
resized-WxH.png is source.png after Image.resize((W, H), BILINEAR).
"""
import pathlib

import numpy as np
from PIL import Image

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

for name, sampling in [("yuv444", "4:4:4"), ("yuv422", "4:2:2"), ("yuv420", "4:2:0")]:
    keep(f"{name}.jpg", source, quality=92, subsampling=sampling)
keep("progressive.jpg", source, quality=85, progressive=True)
keep("grey.jpg", source.convert("L"), quality=90)
keep("cmyk.jpg", source.convert("CMYK"), quality=95)
keep("narrow.jpg", smooth(3, 40), quality=95, subsampling="4:2:0")
exif = Image.Exif()
exif[0x0112] = 6  # orientation: to be turned by 90 degrees, which neither Pillow's open nor torchvision does
keep("turned.jpg", source, quality=90, exif=exif)
