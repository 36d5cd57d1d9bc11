"""Photos for Schemathesis to send: drawn pictures, damaged ones, and random bytes."""

import base64
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
schemathesis.openapi.format("byte", files.map(lambda file: base64.b64encode(file).decode()))

# What the served model has.
LABELS = 2


def agree(case: schemathesis.Case) -> None:
    """Give a valid request what its schema cannot express: a shape that fits the data, labels that the model has."""
    if isinstance(case.query, dict) and "top_k" in case.query:
        # Some phases draw the text of a number.
        case.query["top_k"] = min(int(case.query["top_k"]), LABELS)
    if not isinstance(case.body, dict):
        return
    parameters = case.body.get("parameters")
    if isinstance(parameters, dict) and "top_k" in parameters:
        parameters["top_k"] = min(parameters["top_k"], LABELS)
    inputs = case.body.get("inputs")
    if isinstance(inputs, list):
        for each in inputs:
            each["shape"] = [len(each["data"])]


@schemathesis.hook
def before_call(_context: object, case: schemathesis.Case, kwargs: dict[str, object]) -> None:
    """Check redirects themselves instead of following them."""
    if case.meta is not None and case.meta.generation.mode == "positive":
        agree(case)
    kwargs["allow_redirects"] = False
