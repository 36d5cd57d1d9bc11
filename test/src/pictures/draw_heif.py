"""Draws pictures for the tests of AVIF and HEIC, with the expected result for each.

    .venv.formats/bin/python test/src/pictures/draw_heif.py

It writes heif.json to its own folder. Its packages are those of requirements/formats.txt.

The tests assemble grids and orientations from these pictures, see test/pictures/heif.ts.
"""

import base64
import io
import json
import pathlib
import zlib

import imagecodecs
import numpy as np
import pillow_heif
from draw import FILTERS, encode, picture, scene
from PIL import Image

pillow_heif.register_heif_opener()

TARGET = (16, 16)
TILE = 64
GRID = (120, 100)
TURNS = [
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
]
"""How a picture with each value of EXIF's orientation is turned upright."""
SIZES = [(100, 80), (640, 480), (1600, 1200), (3000, 200), (90, 4000), (2600, 2300)]


def avif(image, **options):
    return encode(image, "AVIF", **{"quality": 80, "speed": 6, **options})


def heic(image, **options):
    return encode(image, "HEIF", **{"quality": 75, **options})


def deep(width, height, depth):
    """Return the scene in 16-bit samples of `depth` bits."""
    return (scene(width, height) * (2**depth - 1) + 0.5).astype(np.uint16)


def deep_heic(width, height, depth):
    pillow_heif.options.SAVE_HDR_TO_12_BIT = depth == 12
    samples = (deep(width, height, 16)).tobytes()
    image = pillow_heif.from_bytes("RGB;16", (width, height), samples)
    stream = io.BytesIO()
    image.save(stream, quality=75)
    return stream.getvalue()


def deep_avif(width, height, depth):
    return imagecodecs.avif_encode(deep(width, height, depth), level=80, speed=6, bitspersample=depth)


def flat_deep_avif(image):
    samples = np.asarray(image).astype(np.uint16) << 2
    return imagecodecs.avif_encode(samples, level=80, speed=6, bitspersample=10, pixelformat="420")


def avifs():
    small = picture(60, 44)
    seen = small.copy()
    seen.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 60).astype(np.uint8), (44, 1))))
    others = [small.rotate(180), small.rotate(90).resize(small.size)]
    yield "avif 4:2:0", avif(small)
    yield "avif 4:2:2", avif(small, subsampling="4:2:2")
    yield "avif 4:4:4", avif(small, subsampling="4:4:4")
    yield "avif grey", avif(small.convert("L"), subsampling="4:0:0")
    yield "avif limited range", avif(small, range="limited")
    yield "avif 10 bits", deep_avif(60, 44, 10)
    yield "avif 12 bits", deep_avif(60, 44, 12)
    yield "avif with alpha", avif(seen)
    yield "avif animated", avif(small, save_all=True, append_images=others)
    yield "avif lossless", avif(small, quality=100, subsampling="4:4:4")
    yield "avif odd size", avif(picture(37, 29))
    yield "avif reduced", avif(picture(131, 90))
    yield "avif reduced 4:4:4", avif(picture(131, 90), subsampling="4:4:4")


def heics():
    small = picture(60, 44)
    seen = small.copy()
    seen.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 60).astype(np.uint8), (44, 1))))
    yield "heic 4:2:0", heic(small)
    yield "heic 4:2:2", heic(small, chroma=422)
    yield "heic 4:4:4", heic(small, chroma=444)
    yield "heic grey", heic(small.convert("L"))
    yield "heic 10 bits", deep_heic(60, 44, 10)
    yield "heic 12 bits", deep_heic(60, 44, 12)
    yield "heic with alpha", heic(seen)
    yield "heic odd size", heic(picture(37, 29))
    yield "heic reduced", heic(picture(131, 90))


def base64_text(data):
    return base64.b64encode(data).decode()


def main():
    results = {}

    def keep(image):
        rgb = image.convert("RGB").resize(TARGET, FILTERS["bicubic"]).tobytes()
        key = f"{zlib.crc32(rgb):08x}"
        results[key] = base64_text(rgb)
        return key

    def entry(name, data):
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            expected = keep(image)
        size = {"width": width, "height": height, "target": TARGET, "resampling": "bicubic"}
        return {"name": name, "file": base64_text(data), **size, "expected": expected}

    def upright(name, data):
        with Image.open(io.BytesIO(data)) as image:
            turned = [keep(image if turn is None else image.transpose(turn)) for turn in TURNS]
        return {"name": name, "file": base64_text(data), "turned": turned}

    def grid(name, make):
        whole = picture(TILE * 2, TILE * 2)
        corners = [(x, y, x + TILE, y + TILE) for y in (0, TILE) for x in (0, TILE)]
        shown = whole.crop((0, 0, *GRID))
        return {
            "name": name,
            "tiles": [base64_text(make(whole.crop(corner))) for corner in corners],
            "width": GRID[0],
            "height": GRID[1],
            "expected": keep(shown),
        }

    def flat(name, make):
        files = [make(Image.new("RGB", size, (180, 90, 40))) for size in SIZES]
        return {"name": name, "files": [base64_text(data) for data in files]}

    heif = {
        "pictures": [entry(name, data) for make in (avifs, heics) for name, data in make()],
        "upright": [upright(name, make(picture(40, 24))) for name, make in (("avif", avif), ("heic", heic))],
        "grids": [
            grid("avif 4:2:0", avif),
            grid("avif 4:4:4", lambda tile: avif(tile, subsampling="4:4:4")),
            grid("heic", heic),
        ],
        "flat": [
            flat("avif 4:2:0", avif),
            flat("avif 4:4:4", lambda image: avif(image, subsampling="4:4:4")),
            flat("avif 10 bits", flat_deep_avif),
            flat("heic 4:2:0", heic),
            flat("heic 4:4:4", lambda image: heic(image, chroma=444)),
        ],
        "phone": [
            {"name": name, "file": base64_text(make(picture(512, 512)))}
            for name, make in (("avif", avif), ("heic", lambda image: heic(image, quality=60)))
        ],
        "expected": results,
    }
    path = pathlib.Path(__file__).with_name("heif.json")
    path.write_text(json.dumps(heif, indent=1) + "\n")
    print(f"{len(heif['pictures'])} pictures, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
