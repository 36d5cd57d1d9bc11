"""Encodes what Pillow cannot write: every form of PNG, and changed or added chunks and segments of finished files."""

import struct
import zlib
from collections.abc import Iterable

import numpy as np

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
SIGNATURE = b"\x89PNG\r\n\x1a\n"

Chunk = tuple[bytes, bytes]


def chunk(name: bytes, payload: bytes, crc: int | None = None) -> bytes:
    body = name + payload
    return struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body) if crc is None else crc)


def chunks_of(png: bytes) -> list[Chunk]:
    """Return the names and payloads of a PNG's chunks."""
    chunks = []
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def join(chunks: Iterable[Chunk]) -> bytes:
    return SIGNATURE + b"".join(chunk(*each) for each in chunks)


def insert(png: bytes, *added: Chunk, at: int = 1) -> bytes:
    """Return the PNG with chunks inserted; by default after its header."""
    chunks = chunks_of(png)
    return join([*chunks[:at], *added, *chunks[at:]])


def pack(rows: np.ndarray, depth: int) -> np.ndarray:
    """Return (height, bytes) for samples of (height, width, channels)."""
    flat = rows.reshape(len(rows), -1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8)
    if depth == 8:
        return flat.astype(np.uint8)
    bits = (flat[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(len(rows), -1).astype(np.uint8), axis=1)


def filtered(stored: np.ndarray, distance: int, kind: int | None) -> bytes:
    """Return the rows, each after its filter byte; by default the rows cycle through the five filters."""
    out = b""
    above = np.zeros(stored.shape[1], np.int32)
    for i, values in enumerate(stored):
        row = values.astype(np.int32)
        a = np.concatenate([np.zeros(distance, np.int32), row[:-distance]])[: len(row)]
        c = np.concatenate([np.zeros(distance, np.int32), above[:-distance]])[: len(row)]
        to_a, to_b, to_c = abs(above - c), abs(a - c), abs(a + above - 2 * c)
        paeth = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, above, c))
        number = i % 5 if kind is None else kind
        predicted = (0, a, above, (a + above) // 2, paeth)[number]
        out += bytes([number]) + ((row - predicted) & 255).astype(np.uint8).tobytes()
        above = row
    return out


def encode_png(
    samples: np.ndarray,
    depth: int,
    colour: int,
    before: Iterable[Chunk] = (),
    interlaced: bool = False,
    kind: int | None = None,
) -> bytes:
    """Encode samples of (height, width, channels). ``before`` are chunks before the data; ``kind`` is the filter."""
    height, width, channels = samples.shape
    distance = max(1, depth * channels // 8)
    data = b""
    for x, y, step_x, step_y in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::step_y, x::step_x]
        if part.size:
            data += filtered(pack(part, depth), distance, kind)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return join([(b"IHDR", header), *before, (b"IDAT", zlib.compress(data)), (b"IEND", b"")])


def tiff(orientation: int, order: str = ">", kind: int = 3) -> bytes:
    """Return a TIFF stream with an orientation; ``order`` is '<' (II) or '>' (MM), ``kind`` 3 (SHORT) or 4 (LONG)."""
    mark = b"II" if order == "<" else b"MM"
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    return mark + struct.pack(order + "HIHHHI", 42, 8, 1, 274, kind, 1) + value + bytes(4)


def exif(orientation: int, order: str = ">", kind: int = 3) -> bytes:
    return b"Exif\0\0" + tiff(orientation, order, kind)


def xmp(orientation: int, element: bool = False) -> bytes:
    attribute = "" if element else f' tiff:Orientation="{orientation}"'
    content = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if element else ""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{content}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def raw_profile(orientation: int) -> bytes:
    """Return EXIF as ImageMagick stores it in a text chunk."""
    block = exif(orientation)
    digits = block.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return f"\nexif\n{len(block):8}\n{lines}\n".encode()


def with_segment(jpeg: bytes, *payloads: bytes, marker: int = 0xE1) -> bytes:
    """Insert segments after a JPEG's start marker."""
    segments = [bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload for payload in payloads]
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def riff(*chunks: Chunk) -> bytes:
    body = b"WEBP"
    for name, payload in chunks:
        body += name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def u24(value: int) -> bytes:
    return struct.pack("<I", value)[:3]
