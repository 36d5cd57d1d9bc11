"""Draws a corpus of valid and forgivable picture files, with Pillow's result for each.

    python test/formats/corpus.py FOLDER --side PIXELS [--every N]

Writes each file, and as ``NAME.rgb`` RGB bytes of PIXELS a side: ``exif_transpose().convert("RGB")``, resized bicubic.
``corpus.json`` lists the names and the allowed differences. Pictures that are already in the folder, listed in
``others.json``, join the corpus. ``--every`` draws one file of N, and always those that are cases of their own.
"""

import argparse
import io
import itertools
import json
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import pillow_heif
from encoders import (
    chunk,
    chunks_of,
    encode_png,
    exif,
    insert,
    raw_profile,
    riff,
    tiff,
    u24,
    with_segment,
    xmp,
)
from PIL import Image, ImageCms, ImageOps
from rare import rare

SMALL, ODD, MIDDLE, LARGE, HUGE = (96, 72), (61, 47), (300, 220), (643, 481), (1100, 1061)
EIGHTH = (2100, 2051)
ORIENTATIONS = range(1, 9)
SCALED, INTERPOLATED, DEEP, LIMITED = 0.25, 0.45, 0.85, 0.5
"""
Allowed mean differences in 1/255: of JPEGs that are scaled while they are decoded, of AVIFs, whose conversion to RGB
Pillow approximates, of AVIFs of more than 8 bits, which Pillow truncates, and of HEICs in limited range, which Pillow's
library rounds twice. All other files are equal.
"""


@dataclass(frozen=True)
class Entry:
    """A file of the corpus."""

    name: str
    make: Callable[[], bytes]
    odd: bool = False
    """Whether it is a case of its own rather than one of many of its kind."""


@cache
def scene(width: int, height: int) -> np.ndarray:
    """Return a landscape with hard and soft edges and some grain, as float RGB in [0, 1]."""
    y, x = np.mgrid[0:height, 0:width]
    u, v = (x + 0.5) / width, (y + 0.5) / height
    rgb = np.stack([0.2 + 0.5 * u, 0.3 + 0.4 * v, 0.9 - 0.6 * v], axis=-1)
    rgb[(u - 0.3) ** 2 + (v - 0.35) ** 2 < 0.04] = (0.95, 0.85, 0.2)
    rgb[(v > 0.7) & (u + v > 0.9)] = (0.1, 0.45, 0.15)
    rgb[(abs(u - 0.75) < 0.04) & (v > 0.2) & (v < 0.8)] = (0.5, 0.1, 0.1)
    waves = 0.06 * np.sin(40 * u + 25 * v * v) * (v > 0.5)
    grain = np.random.default_rng(width * height).normal(0, 0.01, (height, width, 1))
    return np.clip(rgb + waves[..., None] + grain, 0, 1)


def picture(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    width, height = size
    image = Image.fromarray((scene(width, height) * 255 + 0.5).astype(np.uint8))
    if mode in ("RGBA", "LA"):
        image = image.convert(mode)
        image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))))
        return image
    return image.quantize(64) if mode == "P" else image.convert(mode)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def saved(size: tuple[int, int], kind: str, mode: str = "RGB", **options: object) -> Callable[[], bytes]:
    return lambda: encode(picture(size, mode), kind, **options)


def words(*parts: object) -> str:
    return " ".join(str(part) for part in parts if part != "")


def of(size: tuple[int, int]) -> str:
    return "x".join(map(str, size))


def stored_as_rgb(image: Image.Image, **options: object) -> bytes:
    """Return a JPEG whose components are red, green and blue: Adobe's segment says so in place of JFIF's."""
    jpeg = encode(Image.merge("YCbCr", image.split()), "JPEG", **options)
    (length,) = struct.unpack(">H", jpeg[4:6])
    return with_segment(jpeg[:2] + jpeg[4 + length :], b"Adobe\0\x64\0\0\0\0\0", marker=0xEE)


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def jpegs() -> Iterator[Entry]:
    coding = {"baseline": {}, "progressive": {"progressive": True}}
    for (name, options), sampling, size in itertools.product(
        coding.items(), ("4:4:4", "4:2:2", "4:2:0"), (ODD, MIDDLE, LARGE, HUGE, EIGHTH)
    ):
        made = saved(size, "JPEG", quality=88, subsampling=sampling, **options)
        yield Entry(words("jpeg", name, sampling, of(size)), made)
    for (name, options), mode, size in itertools.product(coding.items(), ("L", "CMYK"), (ODD, MIDDLE, LARGE, HUGE)):
        made = saved(size, "JPEG", mode, quality=90, **options)
        yield Entry(words("jpeg", name, mode, of(size)), made, mode == "CMYK" and size == HUGE)
    for (name, options), size in itertools.product(coding.items(), (ODD, MIDDLE, LARGE, HUGE, EIGHTH)):
        made = saved(size, "JPEG", quality=90, keep_rgb=True, subsampling=0, **options)
        yield Entry(words("jpeg", name, "stored as RGB", of(size)), made, odd=size in (ODD, HUGE))
    for sampling, size in itertools.product(("4:2:2", "4:2:0"), (ODD, MIDDLE, LARGE, HUGE, EIGHTH)):
        yield Entry(
            words("jpeg stored as RGB", sampling, of(size)),
            lambda size=size, sampling=sampling: stored_as_rgb(picture(size), quality=90, subsampling=sampling),
            odd=size in (ODD, HUGE),
        )
    for (name, options), size in itertools.product(coding.items(), (ODD, MIDDLE, LARGE, HUGE)):
        yield Entry(
            words("jpeg", name, "CMYK marked as YCCK", of(size)),
            lambda size=size, options=options: patched(
                encode(picture(size, "CMYK"), "JPEG", quality=90, **options),
                b"Adobe\0\x64\0\0\0\0\0",
                b"Adobe\0\x64\0\0\0\0\2",
            ),
            odd=size in (ODD, HUGE),
        )
    for quality in (5, 30, 60, 95, 100):
        yield Entry(words("jpeg quality", quality), saved(MIDDLE, "JPEG", quality=quality, subsampling=0))
    for side in (1, 2, 7, 8, 9, 15, 16, 17):
        yield Entry(words("jpeg of side", side), saved((side, side), "JPEG", quality=90))
    yield Entry("jpeg long and flat", saved((2500, 9), "JPEG"))
    yield Entry("jpeg tall and thin", saved((9, 2500), "JPEG"))
    yield Entry("jpeg with restart markers", saved(LARGE, "JPEG", restart_marker_blocks=5))
    yield Entry(words("jpeg with restart markers of rows", of(HUGE)), saved(HUGE, "JPEG", restart_marker_rows=1))
    yield Entry("jpeg with optimised tables", saved(LARGE, "JPEG", optimize=True))
    yield Entry("jpeg with a comment", saved(MIDDLE, "JPEG", comment=b"dog" * 99))
    yield Entry(
        "jpeg with a profile",
        saved(MIDDLE, "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
    )
    yield Entry("jpeg of several pictures", saved(MIDDLE, "MPO", save_all=True, append_images=[picture(MIDDLE)]))
    plain = cache(saved(ODD, "JPEG", quality=90))
    for orientation, order, size in itertools.product(ORIENTATIONS, "<>", (ODD, LARGE)):
        name = words("jpeg orientation", orientation, "II" if order == "<" else "MM", of(size))
        made = saved(size, "JPEG", quality=90, exif=exif(orientation, order))
        yield Entry(name, made, odd=orientation == 5)
    packet = b"http://ns.adobe.com/xap/1.0/\0"
    for orientation in ORIENTATIONS:
        named = {
            "in a LONG": lambda o=orientation: with_segment(plain(), exif(o, kind=4)),
            "after two prefixes": lambda o=orientation: with_segment(plain(), b"Exif\0\0" + exif(o)),
            "in an XMP attribute": lambda o=orientation: with_segment(plain(), packet + xmp(o)),
            "in an XMP element": lambda o=orientation: with_segment(plain(), packet + xmp(o, element=True)),
        }
        for name, make in named.items():
            yield Entry(words("jpeg orientation", orientation, name), make, odd=orientation == 6)
    yield Entry("jpeg orientation in EXIF and XMP", lambda: with_segment(plain(), packet + xmp(3), exif(6)), True)
    yield Entry("jpeg with trailing bytes", lambda: plain() + b"\xff\xd8trailing\xff\xd9" * 20, True)
    yield Entry("jpeg with fill bytes", lambda: plain()[:2] + b"\xff\xff" + plain()[2:], True)
    for size in (ODD, LARGE, HUGE, EIGHTH):
        yield Entry(
            words("jpeg baseline whose scan claims coefficients from 1", of(size)),
            lambda size=size: patched(
                encode(picture(size), "JPEG", quality=90), b"\3\1\0\2\x11\3\x11\0\x3f\0", b"\3\1\0\2\x11\3\x11\1\x3f\0"
            ),
            odd=True,
        )


def whole(samples: np.ndarray, depth: int) -> np.ndarray:
    return (samples * (2**depth - 1) + 0.5).astype(np.uint32)


def pngs() -> Iterator[Entry]:
    def drawn(size: tuple[int, int], colour: int, depth: int) -> tuple[np.ndarray, list[tuple[bytes, bytes]]]:
        rgb = scene(*size)
        grey = rgb.mean(axis=-1, keepdims=True)
        alpha = np.linspace(0, 1, size[0])[None, :, None] * np.ones((size[1], 1, 1))
        if colour == 3:
            few = picture(size).quantize(min(64, 1 << depth))
            table = bytes(few.getpalette()[: 3 << depth])
            return np.asarray(few).astype(np.uint32)[..., None], [(b"PLTE", table)]
        samples = {0: [grey], 2: [rgb], 4: [grey, alpha], 6: [rgb, alpha]}[colour]
        return whole(np.concatenate(samples, axis=-1), depth), []

    names = {0: "grey", 2: "rgb", 3: "palette", 4: "grey and alpha", 6: "rgb and alpha"}
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    for colour, interlaced, size in itertools.product(names, (False, True), (ODD, MIDDLE, LARGE)):
        for depth in depths[colour]:

            def make(size=size, colour=colour, depth=depth, interlaced=interlaced) -> bytes:
                samples, before = drawn(size, colour, depth)
                return encode_png(samples, depth, colour, before, interlaced)

            yield Entry(words("png", names[colour], depth, "interlaced" if interlaced else "", of(size)), make)
    for kind, name in enumerate(("none", "sub", "up", "average", "paeth")):
        yield Entry(words("png filter", name), lambda kind=kind: encode_png(*rgb8(MIDDLE), kind=kind))
    for side in (1, 2, 5, 8, 9):
        yield Entry(words("png interlaced of side", side), lambda s=side: encode_png(*rgb8((s, s)), interlaced=True))
    for name, colour, trns in (("grey", 0, b"\0\x60"), ("rgb", 2, bytes(6)), ("palette", 3, bytes(range(60)))):

        def transparent(colour=colour, trns=trns) -> bytes:
            samples, before = drawn(MIDDLE, colour, 8)
            return encode_png(samples, 8, colour, [*before, (b"tRNS", trns)])

        yield Entry(words("png", name, "with transparency"), transparent)
    for mode in ("1", "L", "P", "RGB", "LA", "RGBA"):
        yield Entry(words("png by Pillow", mode), saved(MIDDLE, "PNG", mode))
    yield Entry("png compressed level 0", saved(MIDDLE, "PNG", compress_level=0))
    others = [picture(MIDDLE).rotate(180)]
    yield Entry("png animated", saved(MIDDLE, "PNG", save_all=True, append_images=others))
    yield Entry(
        "png animated with another default picture",
        saved(MIDDLE, "PNG", save_all=True, append_images=others, default_image=True),
    )
    plain = cache(saved(ODD, "PNG"))
    keyword, profile = b"XML:com.adobe.xmp\0", b"Raw profile type exif\0"
    for orientation in ORIENTATIONS:
        raw = raw_profile(orientation)
        named = {
            "in eXIf": (b"eXIf", tiff(orientation)),
            "in a tEXt profile": (b"tEXt", profile + raw),
            "in a zTXt profile": (b"zTXt", profile + b"\0" + zlib.compress(raw)),
            "in iTXt": (b"iTXt", keyword + bytes(4) + xmp(orientation)),
            "in compressed iTXt": (b"iTXt", keyword + b"\1\0\0\0" + zlib.compress(xmp(orientation, element=True))),
        }
        for (name, added), at in itertools.product(named.items(), (1, -1) if orientation == 6 else (1,)):
            place = "" if at == 1 else "after the data"
            made = lambda added=added, at=at: insert(plain(), added, at=at)  # noqa: E731
            yield Entry(words("png orientation", orientation, name, place), made, odd=orientation == 6)
    yield from odd_pngs(plain)


def rgb8(size: tuple[int, int]) -> tuple[np.ndarray, int, int]:
    return whole(scene(*size), 8), 8, 2


def odd_pngs(plain: Callable[[], bytes]) -> Iterator[Entry]:
    def parts() -> tuple[bytes, bytes, bytes]:
        head, data = chunks_of(plain())[0][1], b"".join(text for name, text in chunks_of(plain()) if name == b"IDAT")
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head), data, chunk(b"IEND", b"")

    text, wrong = chunk(b"tEXt", b"Comment\0a dog"), chunk(b"tEXt", b"Comment\0a dog", 1)
    named: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {
        "a wrong CRC after the data": lambda head, data, end: head + chunk(b"IDAT", data) + wrong + end,
        "a wrong CRC of the data": lambda head, data, end: head + chunk(b"IDAT", data, 1) + end,
        "a wrong CRC of IEND": lambda head, data, _: head + chunk(b"IDAT", data) + chunk(b"IEND", b"", 1),
        "no IEND": lambda head, data, _: head + chunk(b"IDAT", data),
        "no CRC of the data": lambda head, data, _: head + chunk(b"IDAT", data)[:-4],
        "an empty second run of data": lambda head, data, end: (
            head + chunk(b"IDAT", data) + text + chunk(b"IDAT", b"") + end
        ),
        "a hundred data chunks": lambda head, data, end: (
            head + b"".join(chunk(b"IDAT", data[i : i + 97]) for i in range(0, len(data), 97)) + end
        ),
        "bytes after IEND": lambda head, data, end: head + chunk(b"IDAT", data) + end + b"trailing",
    }
    for name, make in named.items():
        yield Entry(words("png with", name), lambda make=make: make(*parts()), odd=True)
    yield Entry(
        "png with a wrong CRC before the data",
        lambda: parts()[0] + wrong + chunk(b"IDAT", parts()[1]) + parts()[2],
        odd=True,
    )


def webps() -> Iterator[Entry]:
    for quality, method, size in itertools.product((10, 60, 90, 100), (0, 4), (ODD, MIDDLE, LARGE)):
        made = saved(size, "WEBP", quality=quality, method=method)
        yield Entry(words("webp lossy", quality, "method", method, of(size)), made)
    for method, size in itertools.product((0, 3, 6), (ODD, MIDDLE, LARGE)):
        yield Entry(words("webp lossless method", method, of(size)), saved(size, "WEBP", lossless=True, method=method))
    for lossless, exact, size in itertools.product((False, True), (False, True), (ODD, MIDDLE)):
        name = words("webp", "lossless" if lossless else "lossy", "and alpha", "exact" if exact else "", of(size))
        yield Entry(name, saved(size, "WEBP", "RGBA", lossless=lossless, exact=exact))
    for colours in (2, 4, 16, 200):
        yield Entry(
            words("webp lossless of colours", colours),
            lambda c=colours: encode(picture(MIDDLE).quantize(c).convert("RGB"), "WEBP", lossless=True),
        )
    yield Entry("webp sharp", saved(LARGE, "WEBP", use_sharp_yuv=True))
    yield Entry("webp grey", saved(MIDDLE, "WEBP", "L"))
    yield Entry("webp huge", saved(HUGE, "WEBP", quality=70))
    others = [picture(MIDDLE).rotate(180), picture(MIDDLE).transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    for name, options in {"lossy": {}, "lossless": {"lossless": True}, "mixed": {"allow_mixed": True}}.items():
        made = saved(MIDDLE, "WEBP", save_all=True, append_images=others, duration=40, **options)
        yield Entry(words("webp animated", name), made)
    for orientation in ORIENTATIONS:
        yield Entry(words("webp orientation", orientation), saved(ODD, "WEBP", exif=exif(orientation)))
        yield Entry(words("webp orientation", orientation, "in XMP"), saved(ODD, "WEBP", xmp=xmp(orientation)), True)

    def beside() -> bytes:
        lossy = encode(picture(SMALL), "WEBP", quality=85)
        still = lossy[12 : 20 + struct.unpack("<I", lossy[16:20])[0]]
        canvas = b"\x02\0\0\0" + u24(190 - 1) + u24(164 - 1)
        frame = u24(5) + u24(7) + u24(SMALL[0] - 1) + u24(SMALL[1] - 1) + u24(40) + b"\2"
        return riff((b"VP8X", canvas), (b"ANIM", b"\x20\x40\x60\xff\0\0"), (b"ANMF", frame + still))

    yield Entry("webp frame beside its canvas", beside, odd=True)


def gifs() -> Iterator[Entry]:
    for mode, interlace, size in itertools.product(("P", "L", "1", "RGB"), (False, True), (ODD, MIDDLE, LARGE)):
        name = words("gif", mode, "interlaced" if interlace else "", of(size))
        yield Entry(name, saved(size, "GIF", mode, interlace=interlace), mode == "1" and size == LARGE)
    for colours in (2, 3, 4, 16, 129, 256):
        yield Entry(words("gif of colours", colours), lambda c=colours: encode(picture(MIDDLE).quantize(c), "GIF"))
    yield Entry("gif transparent", saved(MIDDLE, "GIF", "P", transparency=7))
    others = [picture(MIDDLE).rotate(180).quantize(60), picture(MIDDLE, "P")]
    for disposal in (0, 1, 2):
        made = saved(MIDDLE, "GIF", "P", save_all=True, append_images=others, disposal=disposal, loop=0)
        yield Entry(words("gif animated disposal", disposal), made)
    plain = cache(saved(SMALL, "GIF", "P", interlace=False))
    table = cache(lambda: 13 + (3 << ((plain()[10] & 7) + 1)))

    def moved(screen: tuple[int, int], corner: tuple[int, int]) -> bytes:
        data = bytearray(plain())
        image = data.index(b",", table())
        data[6:10] = struct.pack("<HH", *screen)
        data[image + 1 : image + 5] = struct.pack("<HH", *corner)
        return bytes(data)

    yield Entry("gif frame beside its canvas", lambda: moved((190, 170), (20, 11)), odd=True)
    yield Entry("gif frame beyond its canvas", lambda: moved((50, 30), (9, 4)), odd=True)
    yield Entry("gif with bytes after it", lambda: plain() + b"trailing", odd=True)
    yield Entry("gif without a trailer", lambda: plain()[:-1], odd=True)
    for count in (1, 3):
        yield Entry(
            words("gif with stray zeros", count),
            lambda count=count: plain()[: table()] + bytes(count) + plain()[table() :],
            odd=True,
        )
    yield Entry("gif of version 89a", lambda: b"GIF89a" + plain()[6:], odd=True)


def avifs() -> Iterator[Entry]:
    for sampling, quality, size in itertools.product(("4:4:4", "4:2:2", "4:2:0", "4:0:0"), (50, 90), (ODD, MIDDLE)):
        made = saved(size, "AVIF", quality=quality, subsampling=sampling, speed=9)
        yield Entry(words("avif", sampling, quality, of(size)), made)
    for sampling, depth in itertools.product(("4:4:4", "4:2:2", "4:2:0"), (10, 12)):
        samples = whole(scene(*MIDDLE), depth).astype(np.uint16)
        options = {"bitspersample": depth, "pixelformat": sampling.replace(":", "")}
        yield Entry(
            words("avif", sampling, depth, "bits"),
            lambda samples=samples, options=options: imagecodecs.avif_encode(samples, level=90, speed=9, **options),
        )
    yield Entry(
        "avif lossless 10 bits",
        lambda: imagecodecs.avif_encode(whole(scene(400, 300), 10).astype(np.uint16), level=100, bitspersample=10),
        odd=True,
    )
    for name in ("full", "limited"):
        yield Entry(words("avif range", name), saved(MIDDLE, "AVIF", range=name, speed=9))
    yield Entry("avif with alpha", saved(MIDDLE, "AVIF", "RGBA", speed=9))
    premultiplied = saved(MIDDLE, "AVIF", "RGBA", speed=9, alpha_premultiplied=True)
    yield Entry("avif with premultiplied alpha", premultiplied, odd=True)
    yield Entry(
        "avif animated", saved(MIDDLE, "AVIF", save_all=True, append_images=[picture(MIDDLE).rotate(180)], speed=9)
    )
    for orientation in ORIENTATIONS:
        made = saved(ODD, "AVIF", exif=exif(orientation), speed=9)
        yield Entry(words("avif orientation", orientation), made, orientation == 6)


def heics() -> Iterator[Entry]:
    for sampling, quality, size in itertools.product((444, 422, 420), (50, 90), (MIDDLE, LARGE)):
        made = saved(size, "HEIF", quality=quality, chroma=sampling)
        yield Entry(words("heic", sampling, quality, of(size)), made)
    yield Entry("heic grey", saved(MIDDLE, "HEIF", "L"))
    yield Entry(
        "heic grey 16", lambda: encode(Image.fromarray(whole(scene(*MIDDLE)[..., 1], 16).astype(np.uint16)), "HEIF")
    )
    for matrix, full in itertools.product((1, 6, 9), (True, False)):
        options = {"matrix_coefficients": matrix, "full_range_flag": int(full)}
        name = words("heic", "" if full else "limited range", "matrix", matrix)
        yield Entry(name, saved(MIDDLE, "HEIF", quality=80, **options), odd=matrix == 9)
    yield Entry("heic with alpha", saved(MIDDLE, "HEIF", "RGBA"))
    for orientation in ORIENTATIONS:
        yield Entry(
            words("heic orientation", orientation),
            saved(MIDDLE, "HEIF", exif=exif(orientation)),
            orientation == 6,
        )


def rarities() -> Iterator[Entry]:
    for name, data in rare(picture(ODD), encode):
        yield Entry(name, lambda data=data: data, odd=True)


MAKERS = (jpegs, pngs, webps, gifs, avifs, heics, rarities)


def tolerance(name: str) -> float:
    """Return the allowed mean difference in 1/255."""
    if name.startswith("avif"):
        return DEEP if "bits" in name else INTERPOLATED
    if name.startswith("heic limited range"):
        return LIMITED
    is_scaled = name.startswith("jpeg") and any(of(size) in name for size in (HUGE, EIGHTH))
    return SCALED if is_scaled else 0


def draw(every: int) -> Iterator[Entry]:
    for make in MAKERS:
        for i, entry in enumerate(make()):
            if i % every == 0 or entry.odd:
                yield entry


def expect(data: bytes, side: int) -> bytes | str:
    """Return Pillow's RGB bytes, or why it cannot open the file."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            rgb = ImageOps.exif_transpose(image).convert("RGB")
            return rgb.resize((side, side), Image.Resampling.BICUBIC).tobytes()
    except (OSError, SyntaxError, ValueError) as error:
        return str(error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--side", type=int, required=True)
    options = parser.parse_args()
    pillow_heif.register_heif_opener()
    warnings.simplefilter("ignore")
    others = options.folder / "others.json"
    listed = []

    def add(name: str, data: bytes) -> None:
        result = expect(data, options.side)
        entry: dict[str, object] = {"name": name, "tolerance": tolerance(name)}
        if isinstance(result, str):
            entry["error"] = result
        else:
            (options.folder / f"{name}.rgb").write_bytes(result)
        listed.append(entry)

    for entry in draw(options.every):
        data = entry.make()
        (options.folder / entry.name).write_bytes(data)
        add(entry.name, data)
    for name in json.loads(others.read_text()) if others.exists() else []:
        add(name, (options.folder / name).read_bytes())
    (options.folder / "corpus.json").write_text(json.dumps(listed))


if __name__ == "__main__":
    main()
