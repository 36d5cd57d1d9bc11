"""Writes tiny-models.json: ONNX files of a few hundred bytes for the tests inside workerd, as base64.

Run it with the project's Python after a change here: node scripts/python.ts test/src/model/tiny_models.py
"""

import base64
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 8


def network(nodes, outputs, constants):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", outputs])],
        [numpy_helper.from_array(np.array(value, kind), name) for name, kind, value in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return base64.b64encode(model.SerializeToString()).decode()


# P(bright) = sigmoid(20 * (mean - 0.5)): white is 1, black is 0, mid grey is 0.5.
brightness = network(
    [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sub", ["mean", "middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "gain"], ["scaled"]),
        helper.make_node("Reshape", ["scaled", "column"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ],
    1,
    [("middle", np.float32, 0.5), ("gain", np.float32, 20), ("column", np.int64, [-1, 1])],
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

target = Path(__file__).with_name("tiny-models.json")
target.write_text(json.dumps({"size": SIZE, "brightness": brightness, "colour": colour}, indent=2) + "\n")
