"""Draws pictures for the image tests in every variant of the accepted formats, with Pillow's result for each.

    python test/src/pictures/draw.py        (needs Pillow and NumPy; writes pictures.json to its own folder)

The pictures come from a formula, so nobody's photo is among them. The script itself encodes what Pillow cannot write:
16-bit and interlaced PNG, and frames that do not cover their canvas.
"""

import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

TARGET = (16, 16)
OBLONG = (20, 12)


def scene(width, height):
    """Return a landscape with hard and soft edges and some grain, as float RGB in [0, 1]."""
    y, x = np.mgrid[0:height, 0:width]
    u, v = (x + 0.5) / width, (y + 0.5) / height
    rgb = np.stack([0.2 + 0.5 * u, 0.3 + 0.4 * v, 0.9 - 0.6 * v], axis=-1)
    rgb[(u - 0.3) ** 2 + (v - 0.35) ** 2 < 0.04] = (0.95, 0.85, 0.2)
    rgb[(v > 0.7) & (u + v > 0.9)] = (0.1, 0.45, 0.15)
    rgb[(abs(u - 0.75) < 0.04) & (v > 0.2) & (v < 0.8)] = (0.5, 0.1, 0.1)
    waves = 0.06 * np.sin(40 * u + 25 * v * v) * (v > 0.5)
    return np.clip(rgb + waves[..., None], 0, 1)


def picture(width, height):
    return Image.fromarray((scene(width, height) * 255 + 0.5).astype(np.uint8))


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(samples, depth, colour, chunks=(), interlaced=False):
    """Encode `samples` (height, width, channels) as PNG, cycling through the five filters."""
    height, width, channels = samples.shape
    bits = depth * channels
    distance = max(1, bits // 8)

    def pack(row):
        if depth == 16:
            return row.astype(">u2").tobytes()
        if depth == 8:
            return row.astype(np.uint8).tobytes()
        text = "".join(format(int(value), f"0{depth}b") for value in row.ravel())
        return bytes(int(text[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(text), 8))

    def filtered(kind, row, above):
        out = bytearray()
        for i, value in enumerate(row):
            a = row[i - distance] if i >= distance else 0
            b = above[i]
            c = above[i - distance] if i >= distance else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            out.append((value - (0, a, b, (a + b) // 2, nearest)[kind]) & 255)
        return bytes([kind]) + out

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.shape[1] == 0:
            continue
        above = bytes(len(pack(part[0])) if len(part) else 0)
        for i, values in enumerate(part):
            row = pack(values)
            data += filtered(i % 5, row, above)
            above = row

    def chunk(name, payload):
        body = name + payload
        return struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body))

    packed = zlib.compress(data, 9)
    half = len(packed) // 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
        + b"".join(chunk(*each) for each in chunks)
        + chunk(b"IDAT", packed[:half])
        + chunk(b"IDAT", packed[half:])
        + chunk(b"IEND", b"")
    )


def exif(orientation, order):
    """Return the smallest EXIF block with an orientation; `order` is '<' (II) or '>' (MM)."""
    mark = b"II" if order == "<" else b"MM"
    return b"Exif\0\0" + mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 274, 3, 1, orientation, 0, 0)


def jpeg_segment(marker, payload):
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def riff(*chunks):
    body = b"WEBP"
    for name, payload in chunks:
        body += name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def u24(value):
    return struct.pack("<I", value)[:3]


def jpegs():
    small = picture(60, 44)
    baseline = encode(small, "JPEG", quality=85)
    cmyk = encode(small.convert("CMYK"), "JPEG", quality=85)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "jpeg 4:2:0", baseline
    yield "jpeg 4:2:2", encode(small, "JPEG", quality=85, subsampling=1)
    yield "jpeg 4:4:4", encode(small, "JPEG", quality=85, subsampling=0)
    yield "jpeg progressive", encode(small, "JPEG", quality=85, progressive=True)
    yield "jpeg grey", encode(small.convert("L"), "JPEG", quality=85)
    yield "jpeg grey progressive", encode(small.convert("L"), "JPEG", quality=85, progressive=True)
    yield "jpeg cmyk", cmyk
    yield "jpeg ycck", cmyk.replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\2")
    yield "jpeg restart markers", encode(small, "JPEG", quality=85, restart_marker_blocks=3)
    yield "jpeg with a profile", encode(small, "JPEG", quality=85, icc_profile=profile)
    yield "jpeg with trailing bytes", baseline + b"\xff\xd8trailing\xff\xd9" * 20
    yield "jpeg with fill bytes", baseline[:2] + b"\xff\xff" + baseline[2:]
    yield "jpeg one pixel", encode(small.resize((1, 1)), "JPEG")
    yield "jpeg one row", encode(small.resize((40, 1)), "JPEG")
    yield "jpeg odd size", encode(picture(37, 29), "JPEG", quality=85)
    yield "jpeg at 1/2", encode(picture(81, 67), "JPEG", quality=75)
    yield "jpeg at 1/4", encode(picture(150, 133), "JPEG", quality=75)
    yield "jpeg progressive at 1/4", encode(picture(150, 133), "JPEG", quality=75, progressive=True)
    yield "jpeg at 1/8", encode(picture(263, 259), "JPEG", quality=60)
    yield "jpeg progressive at 1/8", encode(picture(263, 259), "JPEG", quality=60, progressive=True)
    yield "jpeg progressive, large", encode(picture(600, 560), "JPEG", quality=60, progressive=True)
    yield "jpeg cmyk at 1/2", encode(picture(75, 66).convert("CMYK"), "JPEG", quality=75)
    yield "jpeg long and flat", encode(picture(400, 20), "JPEG", quality=70)


def pngs():
    rgb = scene(32, 24)
    grey = rgb.mean(axis=-1, keepdims=True)
    alpha = np.linspace(0, 1, 32)[None, :, None] * np.ones((24, 1, 1))
    palette = encode(picture(32, 24).quantize(200), "PNG")
    colours = Image.open(io.BytesIO(palette))
    table = bytes(colours.getpalette()[:600])
    indices = np.asarray(colours).astype(int)[..., None]

    def whole(samples, depth):
        return (samples * (2**depth - 1) + 0.5).astype(np.uint32)

    for interlaced in (False, True):
        also = " interlaced" if interlaced else ""
        for depth in (1, 2, 4, 8):
            yield f"png grey {depth}{also}", png(whole(grey, depth), depth, 0, (), interlaced)
        yield f"png rgb 8{also}", png(whole(rgb, 8), 8, 2, (), interlaced)
        yield f"png rgb 16{also}", png(whole(rgb, 16), 16, 2, (), interlaced)
        for depth in (1, 2, 4, 8):
            few = indices % (1 << depth)
            plte = (b"PLTE", table[: 3 << depth])
            yield f"png palette {depth}{also}", png(few, depth, 3, (plte,), interlaced)
        for depth in (8, 16):
            yield (
                f"png grey-alpha {depth}{also}",
                png(np.concatenate([whole(grey, depth), whole(alpha, depth)], axis=-1), depth, 4, (), interlaced),
            )
            yield (
                f"png rgb-alpha {depth}{also}",
                png(np.concatenate([whole(rgb, depth), whole(alpha, depth)], axis=-1), depth, 6, (), interlaced),
            )
    trns = (b"tRNS", bytes(range(200)))
    yield "png palette with transparency", png(indices, 8, 3, ((b"PLTE", table), trns))
    yield "png grey with transparency", png(whole(grey, 8), 8, 0, ((b"tRNS", b"\0\x60"),))
    yield "png rgb with transparency", png(whole(rgb, 8), 8, 2, ((b"tRNS", bytes(6)),))
    yield "png with orientation", png(whole(rgb, 8), 8, 2, ((b"eXIf", exif(6, ">")[6:]),))
    yield "png one pixel interlaced", png(whole(rgb[:1, :1], 8), 8, 2, (), True)
    yield "png reduced", encode(picture(103, 71), "PNG")
    yield "png reduced interlaced", png(whole(scene(103, 71), 8), 8, 2, (), True)


def webps():
    small = picture(60, 44)
    seen = small.copy()
    seen.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 60).astype(np.uint8), (44, 1))))
    lossy = encode(small, "WEBP", quality=85)
    chunk = (lossy[12:16], lossy[20 : 20 + struct.unpack("<I", lossy[16:20])[0]])
    others = [small.rotate(90).resize(small.size), small.rotate(180)]
    canvas = b"\x02\0\0\0" + u24(90 - 1) + u24(64 - 1)
    frame = u24(5) + u24(7) + u24(60 - 1) + u24(44 - 1) + u24(40) + b"\2"
    still = chunk[0] + struct.pack("<I", len(chunk[1])) + chunk[1] + b"\0" * (len(chunk[1]) & 1)
    yield "webp lossy", lossy
    yield "webp lossless", encode(small, "WEBP", lossless=True)
    yield "webp lossless in few colours", encode(small.quantize(12).convert("RGB"), "WEBP", lossless=True)
    yield "webp lossy with alpha", encode(seen, "WEBP", quality=85, exact=True)
    yield "webp lossless with alpha", encode(seen, "WEBP", lossless=True, exact=True)
    yield "webp animated", encode(small, "WEBP", quality=80, save_all=True, append_images=others, duration=40)
    yield "webp animated lossless", encode(small, "WEBP", lossless=True, save_all=True, append_images=others[:1])
    yield (
        "webp frame beside its canvas",
        riff((b"VP8X", canvas), (b"ANIM", b"\x20\x40\x60\xff\0\0"), (b"ANMF", frame + still)),
    )
    yield "webp with orientation", encode(small, "WEBP", quality=85, exif=exif(8, "<"))
    yield "webp odd size", encode(picture(37, 29), "WEBP", quality=85)
    yield "webp reduced", encode(picture(131, 90), "WEBP", quality=70)


def gifs():
    small = picture(60, 44).quantize(60)
    plain = encode(small, "GIF", interlace=False)
    image = plain.index(b",", 13 + (3 << ((plain[10] & 7) + 1)))

    def moved(screen, corner):
        patched = bytearray(plain)
        patched[6:10] = struct.pack("<HH", *screen)
        patched[image + 1 : image + 5] = struct.pack("<HH", *corner)
        return bytes(patched)

    others = [picture(60, 44).rotate(180).quantize(60), picture(60, 44).rotate(90).quantize(60)]
    yield "gif", plain
    yield "gif interlaced", encode(small, "GIF", interlace=True)
    yield "gif animated", encode(small, "GIF", save_all=True, append_images=others, duration=40, loop=0)
    yield "gif transparent", encode(small, "GIF", transparency=7)
    yield "gif grey", encode(picture(60, 44).convert("L"), "GIF")
    yield "gif two colours", encode(picture(60, 44).convert("1"), "GIF")
    yield "gif frame beside its canvas", moved((90, 70), (20, 11))
    yield "gif frame beyond its canvas", moved((50, 30), (9, 4))
    yield "gif odd size", encode(picture(37, 29).quantize(30), "GIF")
    yield "gif reduced", encode(picture(131, 90).quantize(40), "GIF")


def oriented():
    upright = encode(picture(40, 24), "JPEG", quality=85)
    for orientation in range(1, 9):
        for order in "<>" if orientation in (1, 6, 8) else "<>"[orientation % 2]:
            name = f"jpeg orientation {orientation} {'II' if order == '<' else 'MM'}"
            yield name, upright[:2] + jpeg_segment(0xE1, exif(orientation, order)) + upright[2:]


FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}


def expected(data, size, resampling):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        image = ImageOps.exif_transpose(image)
        width, height = image.size
        if image.mode.startswith("I"):
            raise ValueError("Pillow turns 16-bit grey white")
        return width, height, image.convert("RGB").resize(size, FILTERS[resampling]).tobytes()


def main():
    results = {}

    def entry(name, data, target, resampling="bicubic"):
        width, height, rgb = expected(data, target, resampling)
        key = f"{zlib.crc32(rgb):08x}"
        results[key] = base64.b64encode(rgb).decode()
        return {
            "name": name,
            "file": base64.b64encode(data).decode(),
            "width": width,
            "height": height,
            "target": target,
            "resampling": resampling,
            "expected": key,
        }

    pictures = [entry(name, data, TARGET) for make in (jpegs, pngs, webps, gifs) for name, data in make()]
    pictures += [entry(name, data, OBLONG) for name, data in oriented()]
    for resampling in ("bilinear", "lanczos"):
        pictures.append(entry(f"png made smaller, {resampling}", encode(picture(31, 27), "PNG"), TARGET, resampling))
    for resampling in FILTERS:
        pictures.append(entry(f"png made larger, {resampling}", encode(picture(9, 7), "PNG"), OBLONG, resampling))
    grey = (scene(32, 24).mean(axis=-1, keepdims=True) * 255 + 0.5).astype(np.uint32)
    for interlaced in (False, True):
        deep = png(grey * 256 + 77, 16, 0, (), interlaced)
        same = entry("png grey 16" + " interlaced" * interlaced, png(grey, 8, 0), TARGET)
        pictures.append({**same, "file": base64.b64encode(deep).decode()})
    path = pathlib.Path(__file__).with_name("pictures.json")
    path.write_text(json.dumps({"pictures": pictures, "expected": results}, indent=1) + "\n")
    print(f"{len(pictures)} pictures, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
