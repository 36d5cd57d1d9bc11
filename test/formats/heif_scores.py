"""Draws one picture in codings of AVIF and HEIC, in each orientation, whole and in tiles, and as an upright PNG.

    python test/formats/heif_scores.py FOLDER [--every N]

Writes ``CODING ORIENTATION whole``, its tiles ``CODING ORIENTATION 0`` to ``3``, all without an orientation inside;
and ``upright.png``. ``codings.json`` lists the codings. ``--every`` draws one coding of N.
"""

import argparse
import io
import itertools
import json
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 448, 384
TILE = 256
QUALITY = {"avif": 99, "heic": 96}
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How the upright picture is stored with each value of EXIF's orientation."""


def draw() -> Image.Image:
    """Draw a dog in snow, out of focus. Upright, its score is far from that of any turned one."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (170, 205, 235))
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, 270, WIDTH, HEIGHT], fill=(245, 248, 250))
    x, y, r = 221, 150, 70
    dark, white, black, pink, blue = (58, 74, 94), (255, 255, 255), (27, 38, 50), (233, 183, 174), (168, 220, 255)

    def ellipse(left: float, top: float, right: float, bottom: float, fill: tuple[int, int, int]) -> None:
        draw.ellipse([x + r * left, y + r * top, x + r * right, y + r * bottom], fill=fill)

    ellipse(-1, 0.4, 1, 3.2, dark)
    ellipse(-0.45, 0.6, 0.45, 3.2, white)
    for side in (-1, 1):
        ear = [(0.95, -0.3), (0.85, -1.35), (0.2, -0.85)]
        inside = [(0.8, -0.6), (0.76, -1.1), (0.45, -0.85)]
        for shape, fill in ((ear, dark), (inside, pink)):
            draw.polygon([(x + r * side * u, y + r * v) for u, v in shape], fill=fill)
    ellipse(-1, -1, 1, 1, dark)
    ellipse(-0.85, -0.25, 0.85, 1, white)
    for side in (-0.4, 0.4):
        ellipse(side - 0.35, -0.6, side + 0.35, 0.2, white)
        ellipse(side - 0.2, -0.25, side + 0.2, 0.15, black)
        ellipse(side - 0.16, -0.21, side + 0.16, 0.11, blue)
        ellipse(side - 0.07, -0.12, side + 0.07, 0.02, black)
    ellipse(-0.22, 0.25, 0.22, 0.52, black)
    return image.filter(ImageFilter.GaussianBlur(6))


def encode(image: Image.Image, kind: str, sampling: str, depth: int) -> bytes:
    """Encode the picture with 8 or 10 bits."""
    stream = io.BytesIO()
    if kind == "heic":
        deep = np.asarray(image).astype(np.uint16) * 257
        source = image if depth == 8 else pillow_heif.from_bytes("RGB;16", image.size, deep.tobytes())
        options = {"format": "HEIF"} if depth == 8 else {}
        source.save(stream, quality=QUALITY[kind], chroma=int(sampling.replace(":", "")), **options)
    elif depth == 8:
        image.save(stream, "AVIF", quality=QUALITY[kind], subsampling=sampling, speed=8)
    else:
        deep = (np.asarray(image).astype(np.uint32) * 1023 // 255).astype(np.uint16)
        options = {"bitspersample": depth, "pixelformat": sampling.replace(":", "")}
        return imagecodecs.avif_encode(deep, level=QUALITY[kind], speed=8, **options)
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    pillow_heif.register_heif_opener()
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    upright = draw()
    upright.save(options.folder / "upright.png")
    codings = [*itertools.product(("avif", "heic"), ("4:2:0", "4:4:4"), (8, 10))][:: options.every]
    for coding, (orientation, turn) in itertools.product(codings, STORED.items()):
        stored = upright if turn is None else upright.transpose(turn)
        square = stored.crop((0, 0, 2 * TILE, 2 * TILE))
        corners = [(x, y, x + TILE, y + TILE) for y in (0, TILE) for x in (0, TILE)]
        for i, part in enumerate([stored, *map(square.crop, corners)]):
            name = " ".join(map(str, [*coding, orientation, "whole" if i == 0 else i - 1]))
            (options.folder / name).write_bytes(encode(part, *coding))
    (options.folder / "codings.json").write_text(json.dumps([" ".join(map(str, coding)) for coding in codings]))


if __name__ == "__main__":
    main()
