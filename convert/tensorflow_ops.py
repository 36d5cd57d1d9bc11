"""Expresses in ONNX's operators those of TensorFlow that tf2onnx converts wrongly or not at all."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

# Of tf2onnx, which does not export their classes: a graph, and a node in it.
Graph = Any
Node = Any

TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


def _resize(graph: Graph, node: Node, *_rest: object) -> None:
    """Multiply by one constant matrix for each side.

    tf2onnx has another formula for bicubic and area, and none for antialiasing and Lanczos.
    """
    _, height, width, _ = graph.get_shape(node.input[0])
    rows, columns = (int(side) for side in node.inputs[1].get_tensor_value())
    value = node.input[0]
    if graph.get_dtype(value) != onnx.TensorProto.FLOAT:
        value = _add(graph, "Cast", value, to=onnx.TensorProto.FLOAT)
    value = _add(graph, "Transpose", value, perm=TO_NCHW)
    value = _add(graph, "MatMul", _constant(graph, node, "rows", _read_matrix(node, height, rows)), value)
    value = _add(graph, "MatMul", value, _constant(graph, node, "columns", _read_matrix(node, width, columns).T))
    _replace(graph, node, _add(graph, "Transpose", value, perm=TO_NHWC))


def _read_matrix(node: Node, given: int, size: int) -> np.ndarray:
    """Return what a resize does along one side: (size, given) float32, from TensorFlow itself.

    It resizes a column of pixels with as many channels, of which each has one white pixel.
    """
    pixels = np.eye(given, dtype=np.float32).reshape(1, given, 1, given)
    arguments: dict[str, Any] = {"images": pixels, "size": [size, 1]}
    if node.type == "ScaleAndTranslate":
        # tf.image.resize never translates.
        arguments |= {"scale": np.float32([size, 1]) / np.float32([given, 1]), "translation": [0.0, 0.0]}
        arguments |= {
            "kernel_type": node.get_attr_str("kernel_type"),
            "antialias": bool(node.get_attr_int("antialias")),
        }
    else:
        names = [name for name in ("align_corners", "half_pixel_centers") if node.get_attr(name)]
        arguments |= {name: bool(node.get_attr_int(name)) for name in names}
    # tf2onnx converts inside a graph, where nothing has a value without a session.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return session.run(getattr(tf.raw_ops, node.type)(**arguments))[0, :, 0]


def _extract_patches(graph: Graph, node: Node, *_rest: object) -> None:
    """Cut a picture into patches side by side. tf2onnx needs a fixed batch size."""
    _, height, width, channels = graph.get_shape(node.input[0])
    (_, rows, columns, _), strides = node.get_attr_value("ksizes"), node.get_attr_value("strides")
    padded = node.get_attr_str("padding") == "SAME" and (height % rows or width % columns)
    if padded or list(strides) != [1, rows, columns, 1] or list(node.get_attr_value("rates")) != [1, 1, 1, 1]:
        return
    down, right = height // rows, width // columns
    value = node.input[0]
    for axis, length in ((1, down * rows), (2, right * columns)):
        ends = [_constant(graph, node, f"{axis}/{end}", np.int64([end])) for end in (0, length)]
        value = _add(graph, "Slice", value, *ends, _constant(graph, node, f"{axis}/axis", np.int64([axis])))
    split, joined = [-1, down, rows, right, columns, channels], [-1, down, right, rows * columns * channels]
    value = _add(graph, "Reshape", value, _constant(graph, node, "split", np.int64(split)))
    value = _add(graph, "Transpose", value, perm=[0, 1, 3, 2, 4, 5])
    _replace(graph, node, _add(graph, "Reshape", value, _constant(graph, node, "joined", np.int64(joined))))


def _constant(graph: Graph, node: Node, name: str, value: np.ndarray) -> str:
    return graph.make_const(f"{node.name}/{name}", np.ascontiguousarray(value)).output[0]


def _add(graph: Graph, kind: str, *inputs: str, **attributes: object) -> str:
    return graph.make_node(kind, list(inputs), attr=attributes).output[0]


def _replace(graph: Graph, node: Node, value: str) -> None:
    graph.replace_all_inputs(node.output[0], value)
    graph.remove_node(node.name)


Handler = Callable[..., None]
# In the form of tf2onnx's custom_op_handlers.
HANDLERS: dict[str, tuple[Handler, list[str]]] = {
    "ExtractImagePatches": (_extract_patches, []),
    "ResizeArea": (_resize, []),
    "ResizeBicubic": (_resize, []),
    "ScaleAndTranslate": (_resize, []),
}
