"""Computes with Pillow and Keras what a running Worker is compared to.

    python test/parity/reference.py MODEL --manifest FILE [--input-range RANGE] [--activation NAME] [--output NAME]

FILE is the manifest of the version that MODEL was converted to; the options are those of that conversion.

Reads JSON lines from standard input and answers each with one on standard output, until the input ends:

    {"file": PATH}  ->  {"tensor": base64 of height * width * channels bytes, "scores": the outputs}

With "size": [width, height] it first enlarges the photo to that size, adds gaussian grain ("grain": sigma in byte
values, "seed"), and saves it as a 4:2:0 JPEG ("quality") to "out"; the answer is about that file. The answer to a photo
that cannot be read is {"error": REASON}.
"""

import argparse
import base64
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from convert.contract import Contract, read_contract
from convert.conversion import DEFAULT_RANGE, TEACHABLE_RANGE
from convert.errors import ConversionError
from convert.input_range import CHOICES
from convert.keras_file import Model, load_model, prepare_copy
from convert.parity import score_in_keras
from convert.range_guess import read_known_range
from convert.source import find_source
from model.training.photos import FILTERS, to_input


def enlarge(request: dict) -> str:
    """Write the enlarged, grainy JPEG that ``request`` describes and return its path."""
    width, height = request["size"]
    with Image.open(request["file"]) as image:
        large = ImageOps.exif_transpose(image).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    random = np.random.default_rng(request.get("seed", 0))
    grain = random.standard_normal((height, width, 3), np.float32) * np.float32(request.get("grain", 0))
    pixels = np.clip(np.asarray(large) + grain, 0, 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(request["out"], "JPEG", quality=request.get("quality", 90), subsampling="4:2:0")
    return request["out"]


def read_photo(file: str, wanted: dict) -> np.ndarray:
    """Return what Pillow makes of the photo for the manifest's input: (height, width, channels) uint8."""
    size = (wanted["width"], wanted["height"])
    with Image.open(file) as image:
        picture = ImageOps.exif_transpose(image).convert(wanted["color"])
    resize = ImageOps.fit if wanted.get("resize") == "fit" else Image.Image.resize
    return np.asarray(resize(picture, size, FILTERS[wanted["resampling"]])).reshape(size[1], size[0], -1)


def open_model(options: argparse.Namespace, manifest: dict) -> tuple[Model, Contract, str]:
    """Return the model, opened by the Keras that wrote it, what the manifest says of it, and its input range."""
    with tempfile.TemporaryDirectory(prefix="husky-parity-") as scratch:
        source = find_source(options.model)
        copy = Path(scratch, "source.keras" if source.kind == "keras" else "source.h5")
        copy.write_bytes(source.content)
        prepare_copy(copy)
        model = load_model(copy)
    wanted, output = manifest["input"], manifest["output"]
    contract = read_contract(
        model,
        manifest["labels"],
        size=(wanted["width"], wanted["height"]),
        output=options.output,
        activation=options.activation,
        multi_label=output["activation"] == "sigmoid" and output["size"] > 1,
    )
    default = TEACHABLE_RANGE if source.teachable else DEFAULT_RANGE
    return model, contract, options.input_range or read_known_range(model) or default


def main() -> int:
    """Answer requests until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--input-range", choices=CHOICES)
    parser.add_argument("--activation", choices=("softmax", "sigmoid"))
    parser.add_argument("--output")
    options = parser.parse_args()
    manifest = json.loads(options.manifest.read_text("utf-8"))
    try:
        model, contract, input_range = open_model(options, manifest)
    except ConversionError as reason:
        parser.error(str(reason))

    for line in sys.stdin:
        request = json.loads(line)
        try:
            file = enlarge(request) if "size" in request else request["file"]
            pixels = read_photo(file, manifest["input"])
        except OSError as error:
            answer: dict[str, object] = {"error": str(error)}
        else:
            scores = score_in_keras(model, contract, input_range, to_input(pixels)[None])
            tensor = base64.b64encode(pixels.tobytes()).decode("ascii")
            answer = {"tensor": tensor, "scores": scores[0].tolist()}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
