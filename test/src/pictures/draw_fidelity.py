"""Writes fidelity.json: a detailed photo, networks of any input size, and their scores for what Pillow makes of it.

Run it with the project's Python after a change here: node scripts/python.ts test/src/pictures/draw_fidelity.py
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageOps

SIZE = (2000, 1500)
LABELS = 4
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
CASES = [
    (28, 28, "L", "squeeze", "bicubic"),
    (48, 48, "L", "fit", "lanczos"),
    (32, 32, "RGB", "squeeze", "bicubic"),
    (96, 64, "RGB", "fit", "bicubic"),
    (128, 128, "RGB", "squeeze", "lanczos"),
    (224, 224, "RGB", "fit", "lanczos"),
    (299, 299, "RGB", "squeeze", "bicubic"),
]


def photo(random):
    """Return a JPEG with edges, fine stripes and grain, as photos have."""
    image = Image.new("RGB", SIZE, (120, 140, 160))
    shape = ImageDraw.Draw(image)
    for _ in range(120):
        x, y = (int(side * random.random()) for side in SIZE)
        radius = int(20 + 160 * random.random())
        colour = tuple(random.integers(0, 256, 3).tolist())
        if random.random() < 0.5:
            shape.ellipse((x - radius, y - radius, x + radius, y + radius // 2), fill=colour)
        else:
            for line in range(x, x + radius, 6):
                shape.line((line, y, line + radius // 2, y + radius), fill=colour, width=2)
    pixels = np.asarray(image) + 4 * random.standard_normal((SIZE[1], SIZE[0], 1))
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=50)
    return out.getvalue()


def network(channels, random):
    """Return a network that reacts to detail: two convolutions, their mean, and a softmax over four labels."""
    layers = [random.standard_normal((8, channels, 3, 3)), random.standard_normal((8, 8, 3, 3)) / 6]
    for kernel in layers:
        kernel -= kernel.mean((2, 3), keepdims=True)
    constants = {
        "first": layers[0],
        "second": layers[1],
        "head": 18 * random.standard_normal((8, LABELS)),
    }
    nodes = [
        helper.make_node("Transpose", ["input"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "first"], ["edges"]),
        helper.make_node("Relu", ["edges"], ["active"]),
        helper.make_node("Conv", ["active", "second"], ["corners"], strides=[2, 2]),
        helper.make_node("Relu", ["corners"], ["features"]),
        helper.make_node("ReduceMean", ["features"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "head"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "fidelity",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", "H", "W", channels])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", LABELS])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def encode(data):
    return base64.b64encode(data).decode()


def main():
    random = np.random.default_rng(7)
    file = photo(random)
    networks = {color: network(channels, random) for color, channels in (("RGB", 3), ("L", 1))}
    sessions = {color: onnxruntime.InferenceSession(data) for color, data in networks.items()}
    cases = []
    for width, height, color, resize, resampling in CASES:
        with Image.open(io.BytesIO(file)) as image:
            picture = image.convert(color)
        size = (width, height)
        make = ImageOps.fit if resize == "fit" else Image.Image.resize
        pixels = np.asarray(make(picture, size, FILTERS[resampling])).reshape(1, height, width, -1)
        inputs = {"white": np.ones(pixels.shape, np.float32), "photo": np.float32(pixels / 255)}
        scores = {name: sessions[color].run(None, {"input": data})[0][0].tolist() for name, data in inputs.items()}
        case = {"width": width, "height": height, "color": color, "resize": resize, "resampling": resampling}
        cases.append({**case, "scores": scores["photo"], "white": scores["white"]})
        print(case, np.round(scores["photo"], 3))
    path = Path(__file__).with_name("fidelity.json")
    content = {"photo": encode(file), "networks": {k: encode(v) for k, v in networks.items()}, "cases": cases}
    text = json.dumps(content, indent=1)
    path.write_text(text + "\n")
    print(f"{len(file):,} bytes of JPEG, {path.stat().st_size:,} bytes in all")


if __name__ == "__main__":
    main()
