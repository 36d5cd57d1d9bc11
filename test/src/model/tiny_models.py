"""Writes tiny-models.json: ONNX files of a few hundred bytes for the tests inside workerd, as base64.

Run it with the project's Python after a change here: node scripts/python.ts test/src/model/tiny_models.py
"""

import base64
import json
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from convert.contract import Contract
from convert.graph import to_onnx

SIZE = 8


def network(nodes, outputs, constants, *, channels=3, check=True):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", SIZE, SIZE, channels])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", outputs])],
        [numpy_helper.from_array(np.array(value, kind), name) for name, kind, value in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if check:
        onnx.checker.check_model(model, full_check=True)
    return base64.b64encode(model.SerializeToString()).decode()


# P(bright) = sigmoid(20 * (mean - 0.5)): white is 1, black is 0, mid grey is 0.5. In colour, and in grey.
brightness, grey = (
    network(
        [
            helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Sub", ["mean", "middle"], ["centred"]),
            helper.make_node("Mul", ["centred", "gain"], ["scaled"]),
            helper.make_node("Reshape", ["scaled", "column"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["scores"]),
        ],
        1,
        [("middle", np.float32, 0.5), ("gain", np.float32, 20), ("column", np.int64, [-1, 1])],
        channels=channels,
    )
    for channels in (3, 1)
)

# sigmoid(20 * (mean - 0.5)) of each channel: independent labels.
independent = network(
    [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["mean", "middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "gain"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ],
    3,
    [("middle", np.float32, 0.5), ("gain", np.float32, 20)],
)

# softmax over more labels than anyone wants to read: label i wants colour i / 59 of red.
MANY = 60
places = np.arange(MANY) / (MANY - 1)
many = network(
    [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ],
    MANY,
    [("kernel", np.float32, np.outer([1, 0, 0], 2000 * places)), ("bias", np.float32, -1000 * places**2)],
)

# softmax(20 * mean colour): one class for each channel.
colour = network(
    [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["mean", "gain"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ],
    3,
    [("gain", np.float32, 20)],
)


def spotter(kernel, bias, activation):
    """A Keras network that looks at 4 x 2 cells and takes their mean; the converter gives it a heat map."""
    head = keras.layers.Dense(len(bias), activation=activation)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.AveragePooling2D((2, 4)),
            keras.layers.GlobalAveragePooling2D(),
            head,
        ]
    )
    head.set_weights([np.float32(kernel), np.float32(bias)])
    contract = Contract(SIZE, SIZE, len(bias), activation)
    return base64.b64encode(to_onnx(model, contract).SerializeToString(deterministic=True)).decode()


# P(red) = sigmoid(12 r - 6 g - 6 b - 2) of the mean colour.
spots = spotter([[12], [-6], [-6]], [-2], "sigmoid")
# softmax(20 * mean colour), with a heat map for each channel.
colour_spots = spotter(20 * np.eye(3), [0, 0, 0], "softmax")

# Hostile: a valid file that asks for an operator that does not exist.
unknown_operator = network([helper.make_node("NoSuchOperator", ["input"], ["scores"])], 1, [], check=False)


def with_external_data(encoded):
    """The same network, but one of its constants is to be read from a file beside it."""
    model = onnx.load_from_string(base64.b64decode(encoded))
    constant = model.graph.initializer[0]
    constant.ClearField("raw_data")
    constant.data_location = TensorProto.EXTERNAL
    constant.external_data.add(key="location", value="../manifest.json")
    return base64.b64encode(model.SerializeToString()).decode()


def external(name, shape, offset, location="weights.bin", length=None):
    """A float32 tensor in a file beside the graph."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
    entries = {"location": location, "offset": offset, "length": length or 4 * int(np.prod(shape))}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def split(*tensors):
    """The graph of P(bright) = sigmoid(pixels @ kernel + bias) with the tensors beside it."""
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["input", "row"], ["pixels"]),
            helper.make_node("MatMul", ["pixels", "kernel"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["scores"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(np.array([-1, PIXELS], np.int64), "row"), *tensors],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return base64.b64encode(model.SerializeToString()).decode()


PIXELS = SIZE * SIZE * 3
KERNEL, BIAS = external("kernel", [PIXELS, 1], 0), external("bias", [1], 4 * PIXELS)
# float16, then float32: 20 / 192 for each value of a pixel, and -10.
split_weights = np.full(PIXELS, 20 / PIXELS, "<f2").tobytes() + np.array([-10], "<f4").tobytes()

# Runs without an error in native ONNX Runtime, but traps in wasm: TopK over no rows.
trap = network(
    [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "column"], ["column_mean"]),
        helper.make_node("Slice", ["column_mean", "zero", "zero", "zero"], ["nothing"]),
        helper.make_node("TopK", ["nothing", "one"], ["top", "places"], axis=1),
        helper.make_node("ReduceSum", ["top"], ["sum"], keepdims=0),
        helper.make_node("Add", ["column_mean", "sum"], ["scores"]),
    ],
    1,
    [("column", np.int64, [-1, 1]), ("zero", np.int64, [0]), ("one", np.int64, [1])],
)

target = Path(__file__).with_name("tiny-models.json")
models = {
    "size": SIZE,
    "brightness": brightness,
    "grey": grey,
    "independent": independent,
    "many": many,
    "colour": colour,
    "spots": spots,
    "colourSpots": colour_spots,
    "unknownOperator": unknown_operator,
    "externalData": with_external_data(brightness),
    "trap": trap,
    "splitWeights": base64.b64encode(split_weights).decode(),
    "split": split(KERNEL, BIAS),
    "splitPastEnd": split(KERNEL, external("bias", [1], 4 * PIXELS + 4)),
    "splitElsewhere": split(KERNEL, external("bias", [1], 0, location="model.sig")),
    "splitTooLong": split(external("kernel", [PIXELS, 1], 0, length=4 * PIXELS + 8), BIAS),
}
target.write_text(json.dumps(models, indent=2) + "\n")
