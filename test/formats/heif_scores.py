"""Encodes pictures as AVIF and HEIC in each orientation, whole and in tiles, for comparisons of scores.

    python test/formats/heif_scores.py FOLDER [--every N]

Reads ``husky.png`` and ``cat.png``, and blends them to pictures over the whole scale: ``picture 0.png`` and so on.
Writes ``NAME whole`` and its tiles ``NAME 0`` to ``NAME 3``, all without an orientation inside. ``files.json`` lists
the names, the orientations, and the pictures of those without loss. For lossy HEICs, ``NAME whole.png`` and so on are
what Pillow shows. ``--every`` draws one coding of N.
"""

import argparse
import io
import itertools
import json
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
from PIL import Image

TILE = 256
BLENDS = (0.3, 0.35, 0.4, 0.45, 0.5)
"""Shares of the cat. Between them the score falls from 0.9 to 0.1, so small changes of the pixels move it most."""
LOSSLESS = (("avif", "4:4:4", 10), ("heic", "4:4:4", 8), ("heic", "4:4:4", 10))
LOSSY = tuple(itertools.product(("avif", "heic"), ("4:2:0", "4:4:4"), (8, 10)))
QUALITY = {"avif": 80, "heic": 75}
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


def encode(image: Image.Image, kind: str, sampling: str, depth: int, lossless: bool) -> bytes:
    """Encode the picture with 8 or 10 bits."""
    stream = io.BytesIO()
    deep = np.round(np.asarray(image) * (1023 / 255)).astype(np.uint16)
    if kind == "heic":
        source = image if depth == 8 else pillow_heif.from_bytes("RGB;16", image.size, (deep << 6).tobytes())
        options = {"format": "HEIF"} if depth == 8 else {}
        loss = {"quality": -1, "matrix_coefficients": 0} if lossless else {"quality": QUALITY[kind]}
        source.save(stream, chroma=int(sampling.replace(":", "")), **options, **loss)
    elif depth == 8:
        image.save(stream, "AVIF", quality=QUALITY[kind], subsampling=sampling, speed=8)
    else:
        level = 100 if lossless else QUALITY[kind]
        options = {"bitspersample": depth, "pixelformat": sampling.replace(":", "")}
        return imagecodecs.avif_encode(deep, level=level, speed=8, **options)
    return stream.getvalue()


def show(file: bytes) -> Image.Image:
    """Decode a HEIC with libheif, in its own depth, and round it to 8 bits."""
    heif = pillow_heif.open_heif(io.BytesIO(file), convert_hdr_to_8bit=False)
    samples = np.asarray(heif)
    if samples.dtype == np.uint16:
        samples = np.round((samples >> 6) * (255 / 1023)).astype(np.uint8)
    return Image.fromarray(samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    pillow_heif.register_heif_opener()
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    husky, cat = (Image.open(options.folder / f"{name}.png").convert("RGB") for name in ("husky", "cat"))
    pictures = [Image.blend(husky, cat, share) for share in BLENDS]
    for i, picture in enumerate(pictures):
        picture.save(options.folder / f"picture {i}.png")
    codings = [*itertools.product(LOSSLESS, [True]), *itertools.product(LOSSY, [False])][:: options.every]
    files = []
    for (i, (coding, lossless)), orientation in itertools.product(enumerate(codings), STORED):
        picture = (i + orientation) % len(pictures)
        turn = STORED[orientation]
        stored = pictures[picture] if turn is None else pictures[picture].transpose(turn)
        name = " ".join(map(str, [*coding, "lossless" if lossless else "lossy", orientation]))
        square = stored.crop((0, 0, 2 * TILE, 2 * TILE))
        corners = [(x, y, x + TILE, y + TILE) for y in (0, TILE) for x in (0, TILE)]
        for part, image in zip(["whole", 0, 1, 2, 3], [stored, *map(square.crop, corners)], strict=True):
            file = encode(image, *coding, lossless)
            (options.folder / f"{name} {part}").write_bytes(file)
            if coding[0] == "heic" and not lossless:
                show(file).save(options.folder / f"{name} {part}.png")
        files.append({"name": name, "orientation": orientation} | ({"picture": picture} if lossless else {}))
    (options.folder / "files.json").write_text(json.dumps(files))


if __name__ == "__main__":
    main()
