"""Folds the batch normalisations that tf2onnx leaves after a convolution into its weights."""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper


def fold_normalisations(proto: onnx.ModelProto) -> None:
    """Fold each ``Conv -> Mul -> Add`` with one constant a channel into the ``Conv``, in place.

    tf2onnx folds those of plain convolutions but not of depthwise ones. W becomes W * m and b becomes b * m + a,
    computed in float64 and rounded once.
    """
    graph = proto.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    results = {value.name for value in graph.output}

    for node in list(graph.node):
        if node.op_type != "Conv" or any(name not in constants for name in node.input[1:]):
            continue
        weights = numpy_helper.to_array(constants[node.input[1]])
        if weights.dtype != np.float32:
            continue
        scaled = weights.astype(np.float64)
        bias = np.zeros(len(weights))
        if len(node.input) > 2 and node.input[2]:
            bias += numpy_helper.to_array(constants[node.input[2]])
        end, folded = node.output[0], []
        while end not in results and len(readers.get(end, [])) == 1:
            (reader,) = readers[end]
            factor = _channel_constant(reader, end, constants, len(weights))
            if factor is None:
                break
            if reader.op_type == "Mul":
                scaled, bias = scaled * factor[:, None, None, None], bias * factor
            else:
                bias = bias + factor
            folded.append(reader)
            end = reader.output[0]
        if not folded:
            continue
        names = [f"{node.output[0]}/folded_weights", f"{node.output[0]}/folded_bias"]
        for name, values in zip(names, (scaled, bias), strict=True):
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        node.input[:] = [node.input[0], *names]
        node.output[0] = end
        for reader in folded:
            graph.node.remove(reader)


def _channel_constant(
    node: onnx.NodeProto, source: str, constants: dict[str, TensorProto], channels: int
) -> np.ndarray | None:
    """Return the (channels,) float64 a Mul or Add applies to ``source`` (N, C, H, W), or None for any other node."""
    if node.op_type not in ("Add", "Mul"):
        return None
    others = [name for name in node.input if name != source]
    if len(others) != 1 or others[0] not in constants:
        return None
    values = numpy_helper.to_array(constants[others[0]]).astype(np.float64)
    if values.size == 1 and values.ndim <= 4:
        return np.full(channels, values.item())
    if values.ndim in (3, 4) and values.shape[-3:] == (channels, 1, 1) and values.size == channels:
        return values.reshape(channels)
    return None
