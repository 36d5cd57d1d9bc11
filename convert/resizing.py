"""Makes the ``Resize`` operators of tf2onnx give TensorFlow's sizes and pixels.

tf2onnx passes scales in float32, and ONNX floors the product: 11 * 1.1818181 is 12 there, not 13.
"""

import numpy as np
import onnx
from onnx.numpy_helper import from_array, to_array


def correct_resizes(proto: onnx.ModelProto) -> None:
    """Round inexact scales up, in place. For nearest neighbours, replace the ``Resize`` by a selection of pixels.

    There a changed scale would change the neighbour of a pixel that is exactly between two.
    """
    tensors = {tensor.name: tensor for tensor in proto.graph.initializer}
    inexact = [node for node in proto.graph.node if node.op_type == "Resize" and _is_inexact(node, tensors)]
    for node in inexact:
        if not _is_nearest(node):
            # A new tensor, because nearest neighbours may share the old one.
            scales = to_array(tensors[node.input[2]])
            name = f"{node.output[0]}/scales"
            proto.graph.initializer.append(from_array(np.where(_is_exact(scales), scales, _next(scales)), name))
            node.input[2] = name
    for node in inexact:
        if _is_nearest(node):
            _select_pixels(proto, node, to_array(tensors[node.input[2]]))


def _is_inexact(node: onnx.NodeProto, tensors: dict[str, onnx.TensorProto]) -> bool:
    given = tensors.get(node.input[2]) if len(node.input) > 2 else None
    return given is not None and not _is_exact(to_array(given)).all()


def _is_exact(scales: np.ndarray) -> np.ndarray:
    """Whether each scale is a whole number or a binary fraction."""
    return scales * 1024 == np.floor(scales * 1024)


def _next(scales: np.ndarray) -> np.ndarray:
    return np.nextafter(scales, np.float32(np.inf))


def _read(node: onnx.NodeProto, name: str, otherwise: bytes) -> bytes:
    return next((field.s for field in node.attribute if field.name == name), otherwise)


def _is_nearest(node: onnx.NodeProto) -> bool:
    return _read(node, "mode", b"nearest") == b"nearest"


def _select_pixels(proto: onnx.ModelProto, node: onnx.NodeProto, scales: np.ndarray) -> None:
    """Replace ``node`` by a ``Gather`` for each axis that it resizes."""
    # TensorFlow's formula: core/kernels/image/resize_nearest_neighbor_op.cc.
    offset = {b"tf_half_pixel_for_nn": 0.5, b"half_pixel": 0.5, b"asymmetric": 0.0}.get(
        _read(node, "coordinate_transformation_mode", b"half_pixel")
    )
    lengths = _infer_lengths(proto, node.input[0])
    axes = [axis for axis, scale in enumerate(scales) if scale != 1]
    if offset is None or len(lengths) != len(scales) or not all(lengths[axis] for axis in axes):
        return
    selected = []
    value = node.input[0]
    for axis in axes:
        length = lengths[axis]
        size = round(length * float(scales[axis]))
        step = np.float32(length) / np.float32(size)
        places = (np.arange(size, dtype=np.float32) + np.float32(offset)) * step
        chosen = np.minimum(np.floor(places).astype(np.int64), length - 1)
        indices = f"{node.output[0]}/indices{axis}"
        result = node.output[0] if axis == axes[-1] else f"{node.output[0]}/axis{axis}"
        proto.graph.initializer.append(from_array(chosen, indices))
        selected.append(onnx.helper.make_node("Gather", [value, indices], [result], axis=axis))
        value = result
    nodes = list(proto.graph.node)
    place = next(index for index, other in enumerate(nodes) if other is node or other.output[:1] == node.output[:1])
    nodes[place : place + 1] = selected
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def _infer_lengths(proto: onnx.ModelProto, name: str) -> list[int]:
    """Return the shape of a value, 0 for a length that is unknown; empty if all of it is."""
    graph = onnx.shape_inference.infer_shapes(proto).graph
    for value in (*graph.value_info, *graph.input):
        if value.name == name:
            return [length.dim_value for length in value.type.tensor_type.shape.dim]
    return []
