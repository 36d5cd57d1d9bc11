"""Photos for Schemathesis to send: drawn pictures, damaged ones, and random bytes."""

import io

import schemathesis
from hypothesis import strategies as st
from PIL import Image, ImageDraw

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
TYPES = [*FORMATS, "application/octet-stream"]


def draw(name: str, mode: str, size: tuple[int, int], colour: int) -> bytes:
    """Return a disc on a coloured ground, as a file of the format."""
    picture = Image.new("RGB", size, (colour, 255 - colour, colour // 2))
    ImageDraw.Draw(picture).ellipse([0, 0, size[0] // 2, size[1] // 2], fill=(255 - colour, colour, 128))
    file = io.BytesIO()
    picture.convert(mode if name in ("JPEG", "PNG") else "RGB").save(file, name)
    return file.getvalue()


def damage(picture: bytes, cut: int, at: int, byte: int) -> bytes:
    """Cut the picture off after `cut` percent and change one byte."""
    end = max(1, len(picture) * cut // 100)
    damaged = bytearray(picture[:end])
    damaged[at % end] = byte
    return bytes(damaged)


sizes = st.tuples(st.integers(1, 300), st.integers(1, 300))
pictures = st.builds(
    draw, st.sampled_from([*FORMATS.values()]), st.sampled_from(["RGB", "L"]), sizes, st.integers(0, 255)
)
damaged = st.builds(damage, pictures, st.integers(0, 100), st.integers(0, 1_000_000), st.integers(0, 255))
# Mostly valid pictures, so that many requests reach the network.
files = st.one_of(pictures, pictures, pictures, damaged, st.binary(min_size=1, max_size=200))

for media_type in TYPES:
    schemathesis.openapi.media_type(media_type, files)
schemathesis.openapi.format("binary", files)


@schemathesis.hook
def before_call(_context: object, _case: object, kwargs: dict[str, object]) -> None:
    """Check redirects themselves instead of following them."""
    kwargs["allow_redirects"] = False
