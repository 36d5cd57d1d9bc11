"""Draws files that are valid, or forgiven by Pillow, and that few encoders write."""

import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from encoders import chunks_of, exif, join, riff, tiff, u24, with_segment, xmp
from PIL import Image

Encode = Callable[..., bytes]
Segment = tuple[int, bytes]

XMP = b"http://ns.adobe.com/xap/1.0/\0"
SOF0, SOF1, DQT, APP0, APP1, APP14, DRI = 0xC0, 0xC1, 0xDB, 0xE0, 0xE1, 0xEE, 0xDD


def split(jpeg: bytes) -> tuple[list[Segment], bytes]:
    """Return the segments before the first scan, and the rest."""
    at, segments = 2, []
    while (marker := jpeg[at + 1]) != 0xDA:
        (length,) = struct.unpack(">H", jpeg[at + 2 : at + 4])
        segments.append((marker, jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
    return segments, jpeg[at:]


def changed(jpeg: bytes, change: Callable[[Segment], Segment | None]) -> bytes:
    """Return the JPEG with its segments changed, or dropped where the change is None."""
    segments, rest = split(jpeg)
    kept = [new for segment in segments if (new := change(segment))]
    return jpeg[:2] + b"".join(struct.pack(">BBH", 255, m, len(text) + 2) + text for m, text in kept) + rest


def wide_tables(segment: Segment) -> Segment:
    """Store quantisation tables in 16 bits."""
    marker, text = segment
    if marker != DQT:
        return segment
    tables = [text[at : at + 65] for at in range(0, len(text), 65)]
    return marker, b"".join(bytes([t[0] | 16]) + b"".join(bytes([0, value]) for value in t[1:]) for t in tables)


def without(marker: int) -> Callable[[Segment], Segment | None]:
    return lambda segment: None if segment[0] == marker else segment


def sampled(*factors: int) -> Callable[[Segment], Segment]:
    """Announce other sampling factors."""

    def change(segment: Segment) -> Segment:
        marker, text = segment
        if marker not in (SOF0, 0xC2):
            return segment
        frame = bytearray(text)
        for i, factor in enumerate(factors):
            frame[7 + 3 * i] = factor
        return marker, bytes(frame)

    return change


def named(jpeg: bytes, names: bytes) -> bytes:
    """Give the components other identifiers."""
    _, rest = split(jpeg)
    scan = bytearray(rest)
    for i, name in enumerate(names):
        scan[5 + 2 * i] = name

    def change(segment: Segment) -> Segment:
        marker, text = segment
        frame = bytearray(text)
        for i, name in enumerate(names if marker == SOF0 else b""):
            frame[6 + 3 * i] = name
        return marker, bytes(frame)

    return changed(jpeg, change)[: -len(rest)] + bytes(scan)


def entry(tag: int, kind: int, value: bytes, count: int = 1) -> bytes:
    """Return EXIF with a single entry."""
    return b"Exif\0\0MM\0*" + struct.pack(">IHHHI", 8, 1, tag, kind, count) + value.ljust(4, b"\0") + bytes(4)


def jpegs(image: Image.Image, encode: Encode) -> Iterator[tuple[str, bytes]]:
    def saved(mode: str = "RGB", **options: object) -> bytes:
        return encode(image.convert(mode), "JPEG", **{"quality": 90, **options})

    plain = saved()
    adobe = b"Adobe\0\x64\0\0\0\0"
    yield "tables of 16 bits", changed(plain, wide_tables)
    yield "extended sequential", changed(plain, lambda s: (SOF1, s[1]) if s[0] == SOF0 else s)
    yield "no JFIF", changed(plain, without(APP0))
    yield "components named RGB beside JFIF", named(plain, b"RGB")
    yield "components named RGB", named(changed(plain, without(APP0)), b"RGB")
    yield "components named 0 1 2", named(plain, b"\0\1\2")
    yield "components named 9 7 5", named(changed(plain, without(APP0)), b"\x09\7\5")
    for transform in (0, 1, 2):
        marked = with_segment(changed(plain, without(APP0)), adobe + bytes([transform]), marker=APP14)
        yield f"transform {transform} of Adobe", marked
        yield (
            f"transform {transform} of Adobe before JFIF",
            with_segment(plain, adobe + bytes([transform]), marker=APP14),
        )
    yield "CMYK without Adobe", changed(saved("CMYK"), without(APP14))
    yield "CMYK with JFIF", with_segment(saved("CMYK"), b"JFIF\0\1\1\0\0\1\0\1\0\0", marker=APP0)
    for factor in (0x22, 0x21, 0x12, 0x44):
        yield f"grey sampled {factor:x}", changed(saved("L"), sampled(factor))
        yield f"progressive grey sampled {factor:x}", changed(saved("L", progressive=True), sampled(factor))
    for blocks in (1, 7):
        yield f"progressive restart after {blocks}", saved(restart_marker_blocks=blocks, progressive=True)
    yield "restart interval of 0", with_segment(plain, b"\0\0", marker=DRI)
    yield "zeros in place of the end", plain[:-2] + bytes(64)
    yield "zeros before the end", plain[:-2] + bytes(33) + plain[-2:]
    yield "empty segments", with_segment(with_segment(plain, b""), b"", marker=0xFE)
    yield "two EXIF blocks", with_segment(plain, exif(6), exif(3))
    yield "two XMP packets", with_segment(plain, XMP + xmp(6), XMP + xmp(3))
    yield "EXIF after the scan", plain[:-2] + with_segment(b"\xff\xd8", exif(6))[2:] + plain[-2:]
    kinds = {"BYTE": (1, b"\6"), "ASCII": (2, b"6"), "UNDEFINED": (7, b"\6"), "FLOAT": (11, struct.pack(">f", 6))}
    for name, (kind, value) in kinds.items():
        yield f"orientation in {name}", with_segment(plain, entry(274, kind, value))
        yield f"orientation in {name} and XMP", with_segment(plain, entry(274, kind, value), XMP + xmp(3))
    yield "orientation of two values", with_segment(plain, entry(274, 3, struct.pack(">HH", 6, 3), 2))
    for value in (0, 9):
        yield f"orientation {value}", with_segment(plain, exif(value))


def pngs(image: Image.Image, encode: Encode) -> Iterator[tuple[str, bytes]]:
    plain = encode(image, "PNG")
    header, *_, end = chunks_of(plain)
    packed = b"".join(text for name, text in chunks_of(plain) if name == b"IDAT")
    rows = zlib.decompress(packed)

    def holding(*data: bytes) -> bytes:
        return join([header, *((b"IDAT", each) for each in data), end])

    for bits in (9, 15):
        deflate = zlib.compressobj(6, zlib.DEFLATED, bits)
        yield f"a window of {bits} bits", holding(deflate.compress(rows) + deflate.flush())
    yield "an empty first chunk of data", holding(b"", packed)
    yield "chunks of one byte", holding(*(packed[i : i + 1] for i in range(len(packed))))
    yield "no checksum of zlib", holding(packed[:-4])
    yield "bytes after zlib's data", holding(packed + b"trailing")
    yield "more rows than announced", holding(zlib.compress(rows + bytes(500)))
    yield "a palette beside RGB", join([header, (b"PLTE", bytes(48)), (b"IDAT", packed), end])
    gamma = [(b"gAMA", struct.pack(">I", 100_000)), (b"cICP", b"\x09\x10\0\1"), (b"iCCP", b"p\0\0junk")]
    yield "colour management", join([header, *gamma, (b"IDAT", packed), end])
    yield (
        "an orientation after two others",
        join([header, (b"eXIf", tiff(3)), (b"eXIf", tiff(6)), (b"IDAT", packed), end]),
    )


def webps(image: Image.Image, encode: Encode) -> Iterator[tuple[str, bytes]]:
    for name, still in (("lossy", encode(image, "WEBP")), ("lossless", encode(image, "WEBP", lossless=True))):
        picture = still[12:16], still[20:]

        def holding(flags: int, *chunks: tuple[bytes, bytes]) -> bytes:
            return riff((b"VP8X", bytes([flags, 0, 0, 0]) + u24(image.width - 1) + u24(image.height - 1)), *chunks)

        yield f"{name} unannounced EXIF", holding(0, picture, (b"EXIF", tiff(6)))
        yield f"{name} unannounced XMP", holding(8, picture, (b"XMP ", xmp(6)))
        yield f"{name} EXIF without an extended header", riff(picture, (b"EXIF", tiff(6)))
        yield f"{name} EXIF before", holding(8, (b"EXIF", exif(6)), picture)
        yield f"{name} two EXIF chunks", holding(8, picture, (b"EXIF", tiff(6)), (b"EXIF", tiff(3)))
        yield f"{name} unknown chunks", holding(0x20, (b"ICCP", b"junk!"), (b"ABCD", b"xyz"), picture, (b"WXYZ", b"1"))
        yield f"{name} bytes after it", still + b"EXIF" + struct.pack("<I", 26) + tiff(6)


def compress(indices: np.ndarray, size: int) -> bytes:
    """Return LZW codes that never clear a full table."""
    codes = {(i,): i for i in range(1 << size)}
    bits = [(1 << size, size + 1)]
    width, run = size + 1, ()
    for index in indices.ravel().tolist():
        if (*run, index) in codes:
            run = (*run, index)
            continue
        bits.append((codes[run], width))
        if len(codes) + 2 < 4096:
            codes[(*run, index)] = len(codes) + 2
            width += len(codes) + 2 > 1 << width and width < 12
        run = (index,)
    bits.append((codes[run], width))
    value, length = 0, 0
    for code, count in bits:
        value |= code << length
        length += count
    return value.to_bytes((length + 7) // 8, "little")


def gifs(image: Image.Image, _: Encode) -> Iterator[tuple[str, bytes]]:
    few = image.quantize(64)
    indices, colours = np.asarray(few), bytes(few.getpalette()[:192])
    inverted = bytes(255 - value for value in colours)

    def drawn(
        table: bytes = b"",
        local: bytes = b"",
        control: bytes = b"",
        around: int = 0,
        background: int = 0,
        size: int = 6,
        pixels: np.ndarray = indices,
    ) -> bytes:
        flags = [0x80 | (len(each) // 3).bit_length() - 2 if each else 0 for each in (table, local)]
        height, width = pixels.shape
        codes = compress(pixels, size)
        return b"".join(
            (
                b"GIF89a"
                + struct.pack("<HHBBB", width + 2 * around, height + 3 * around, flags[0], background, 0)
                + table,
                b"!\xf9\4" + control + b"\0" if control else b"",
                b"," + struct.pack("<HHHHB", around, around, width, height, flags[1]) + local + bytes([size]),
                b"".join(bytes([len(codes[i : i + 255])]) + codes[i : i + 255] for i in range(0, len(codes), 255)),
                b"\0;",
            )
        )

    yield "no table", drawn(pixels=indices * 4, size=8)
    yield "a table of the frame", drawn(inverted, colours)
    yield "indices beyond the table", drawn(colours[:48])
    yield "codes that never clear the table", drawn(colours, pixels=np.tile(indices, (4, 4)))
    controls = {"": b"", "opaque": bytes(4), "transparent": b"\1\0\0\5", "transparent beyond the table": b"\1\0\0\xf0"}
    for (name, control), background in ((each, number) for each in controls.items() for number in (0, 7)):
        for place, local in (("", b""), ("own table", colours)):
            made = drawn(inverted if local else colours, local, control, 20, background)
            yield f"{name} frame beside its canvas of colour {background} {place}", made


def rare(image: Image.Image, encode: Encode) -> Iterator[tuple[str, bytes]]:
    """Yield names and files, all made of one picture in RGB."""
    for kind, make in {"jpeg": jpegs, "png": pngs, "webp": webps, "gif": gifs}.items():
        for name, data in make(image, encode):
            yield f"{kind} with {name}".strip(), data
