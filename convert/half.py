"""Weights stored as float16: half the file, while everything is computed in float32 as before."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from inspect_file import ConversionError

# Smaller tensors (biases, shapes, constants) would save nothing that counts.
MIN_ELEMENTS = 1024
LARGEST = float(np.finfo(np.float16).max)


def store_as_float16(proto: onnx.ModelProto) -> None:
    """Store large float32 weights as float16, each with a Cast back where it is used; the graph changes in place.

    ONNX Runtime folds a Cast of a constant when it creates a session, so a prediction costs what it did. Raises
    ``ConversionError`` where a weight is too large for float16.
    """
    graph = proto.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        weights = numpy_helper.to_array(tensor)
        if weights.size < MIN_ELEMENTS:
            continue
        largest = float(np.abs(weights).max())
        if largest > LARGEST:
            raise ConversionError(f"a weight of {largest:.3g} does not fit float16: use --weights float32")
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_float16"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], f"Cast_{name}", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(proto, full_check=True)
