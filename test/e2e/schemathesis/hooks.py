"""What Schemathesis sends as photos: pictures that are drawn here, beside spoiled ones and junk."""

import io

import schemathesis
from hypothesis import strategies as st
from PIL import Image, ImageDraw

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
TYPES = [*FORMATS, "application/octet-stream"]


def draw(name: str, mode: str, size: tuple[int, int], colour: int) -> bytes:
    """A disc on a ground, as a file of that format."""
    picture = Image.new("RGB", size, (colour, 255 - colour, colour // 2))
    ImageDraw.Draw(picture).ellipse([0, 0, size[0] // 2, size[1] // 2], fill=(255 - colour, colour, 128))
    file = io.BytesIO()
    picture.convert(mode if name in ("JPEG", "PNG") else "RGB").save(file, name)
    return file.getvalue()


def spoil(picture: bytes, cut: int, at: int, byte: int) -> bytes:
    """The same with one byte changed and cut off after some share of it."""
    end = max(1, len(picture) * cut // 100)
    spoiled = bytearray(picture[:end])
    spoiled[at % end] = byte
    return bytes(spoiled)


sizes = st.tuples(st.integers(1, 300), st.integers(1, 300))
pictures = st.builds(
    draw, st.sampled_from([*FORMATS.values()]), st.sampled_from(["RGB", "L"]), sizes, st.integers(0, 255)
)
spoiled = st.builds(spoil, pictures, st.integers(0, 100), st.integers(0, 1_000_000), st.integers(0, 255))
# Good ones come more often, so that many requests get as far as the network.
files = st.one_of(pictures, pictures, pictures, spoiled, st.binary(min_size=1, max_size=200))

for media_type in TYPES:
    schemathesis.openapi.media_type(media_type, files)
schemathesis.openapi.format("binary", files)


@schemathesis.hook
def before_call(_context: object, _case: object, kwargs: dict[str, object]) -> None:
    """Looks at a redirection itself, not at where it leads."""
    kwargs["allow_redirects"] = False
