"""Stores weights as float16, which halves the file; the arithmetic stays float32."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from convert.errors import ConversionError

# Converting smaller tensors (biases, shapes, constants) would save next to nothing.
MIN_ELEMENTS = 1024
LARGEST = float(np.finfo(np.float16).max)


def store_as_float16(proto: onnx.ModelProto) -> None:
    """Store large float32 weights as float16, each followed by a Cast back to float32, in place.

    ONNX Runtime folds the Cast of a constant when it creates a session, so predictions cost the same. Raises
    ``ConversionError`` if a weight exceeds the range of float16.
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
            raise ConversionError(f"a weight of {largest:.3g} does not fit float16: pass --weights float32")
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_float16"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], f"Cast_{name}", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(proto, full_check=True)
