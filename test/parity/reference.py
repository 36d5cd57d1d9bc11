"""Computes with Pillow and Keras what a running Worker is compared to.

    python test/parity/reference.py MODEL [--resampling FILTER] [--color MODE] [--resize WAY] [--input-range RANGE]

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
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps

from convert.errors import ConversionError
from convert.graph import INPUT_RANGES
from convert.inspection import inspect_file
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


def read_photo(file: str, size: tuple[int, int], options: argparse.Namespace) -> np.ndarray:
    """Return what Pillow makes of the photo: (height, width, channels) uint8."""
    with Image.open(file) as image:
        picture = ImageOps.exif_transpose(image).convert(options.color)
    resize = ImageOps.fit if options.resize == "fit" else Image.Image.resize
    return np.asarray(resize(picture, size, FILTERS[options.resampling])).reshape(size[1], size[0], -1)


def main() -> int:
    """Answer requests until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--resampling", choices=FILTERS, default="bicubic")
    parser.add_argument("--color", choices=("RGB", "L"), default="RGB")
    parser.add_argument("--resize", choices=("squeeze", "fit"), default="squeeze")
    parser.add_argument("--input-range", choices=INPUT_RANGES, default="0..1")
    options = parser.parse_args()
    try:
        inspect_file(options.model)
    except ConversionError as reason:
        parser.error(str(reason))
    model = keras.models.load_model(options.model, compile=False)
    batch, height, width, *channels = model.inputs[0].shape
    factor, offset = INPUT_RANGES[options.input_range]

    for line in sys.stdin:
        request = json.loads(line)
        try:
            file = enlarge(request) if "size" in request else request["file"]
            pixels = read_photo(file, (width, height), options)
        except OSError as error:
            answer: dict[str, object] = {"error": str(error)}
        else:
            inputs = np.repeat(to_input(pixels)[None] * factor + offset, batch or 1, axis=0)
            outputs = keras.ops.convert_to_numpy(model(inputs if channels else inputs[..., 0], training=False))
            tensor = base64.b64encode(pixels.tobytes()).decode("ascii")
            answer = {"tensor": tensor, "scores": outputs[0].tolist()}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
