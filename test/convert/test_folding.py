"""The converted graph computes no normalisations, and changes the layout once."""

import collections

import keras
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from convert.contract import Contract
from convert.folding import fold_normalisations
from convert.graph import to_onnx
from convert.onnx_network import OnnxNetwork
from networks import pooling_network

PER_CHANNEL = np.float32([0.5, -2, 3]).reshape(3, 1, 1)


def test_a_mobile_network_becomes_convolutions_and_clips():
    model = pooling_network()
    proto = to_onnx(model, Contract(32, 32, 1, "sigmoid"))
    trunk = [node.op_type for node in proto.graph.node]
    trunk = trunk[: trunk.index("GlobalAveragePool")]
    # ONNX Runtime fuses Conv and Clip; the layout changes once, on the way in.
    assert trunk == ["Transpose", "Conv", "Clip", "Conv", "Clip", "Conv"]
    assert collections.Counter(node.op_type for node in proto.graph.node)["Transpose"] == 2  # and for the heat map
    photos = np.random.default_rng(1).random((4, 32, 32, 3)).astype(np.float32)
    found = OnnxNetwork(proto.SerializeToString()).score(photos)
    assert np.abs(found - keras.ops.convert_to_numpy(model(photos))).max() < 1e-6


def network(*nodes, outputs=("y",)):
    """Return a depthwise convolution of three channels, with a bias, from x to c, followed by ``nodes``."""
    random = np.random.default_rng(2)
    constants = {
        "weights": random.normal(size=(3, 1, 3, 3)).astype(np.float32),
        "bias": random.normal(size=3).astype(np.float32),
        "channel": PER_CHANNEL,
        "scalar": np.float32(1.5),
        "row": random.normal(size=(1, 1, 6)).astype(np.float32),
    }
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "weights", "bias"], ["c"], group=3), *nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 6, 6]) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def fold(proto):
    """Return the operators after folding, and check that the outputs are unchanged."""
    photo = np.random.default_rng(4).normal(size=(1, 3, 8, 8)).astype(np.float32)
    before = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": photo})
    fold_normalisations(proto)
    onnx.checker.check_model(proto, full_check=True)
    after = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": photo})
    for one, other in zip(before, after, strict=True):
        assert np.abs(one - other).max() < 1e-5
    return [node.op_type for node in proto.graph.node]


def test_folds_factors_and_offsets_by_channel():
    mul, add = helper.make_node("Mul", ["channel", "c"], ["m"]), helper.make_node("Add", ["m", "channel"], ["y"])
    assert fold(network(mul, add)) == ["Conv"]
    mul, add = helper.make_node("Mul", ["c", "scalar"], ["m"]), helper.make_node("Add", ["scalar", "m"], ["y"])
    assert fold(network(mul, add)) == ["Conv"]


def test_folds_an_offset_before_a_factor():
    add, mul = helper.make_node("Add", ["c", "channel"], ["m"]), helper.make_node("Mul", ["m", "channel"], ["y"])
    assert fold(network(add, mul)) == ["Conv"]


def test_keeps_what_differs_within_a_channel():
    assert fold(network(helper.make_node("Mul", ["c", "row"], ["y"]))) == ["Conv", "Mul"]


def test_keeps_what_another_node_reads():
    mul = helper.make_node("Mul", ["c", "channel"], ["m"])
    add = helper.make_node("Add", ["m", "c"], ["y"])
    assert fold(network(mul, add)) == ["Conv", "Mul", "Add"]
    assert fold(network(helper.make_node("Mul", ["c", "channel"], ["y"]), outputs=("c", "y"))) == ["Conv", "Mul"]


def test_keeps_a_square():
    assert fold(network(helper.make_node("Mul", ["c", "c"], ["y"]))) == ["Conv", "Mul"]
