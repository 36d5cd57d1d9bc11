"""Adds the class activation map of heatmap.py to an ONNX graph, as a second output."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from convert.heatmap import INPUT, OUTPUT, SURE

# Operators allowed between the pooling and the scores: each treats every vector (row) independently.
UNARY = """
Abs BatchNormalization Cast Clip Elu Erf Exp HardSigmoid HardSwish Identity LeakyRelu Log LpNormalization Neg Reciprocal
Relu Selu Sigmoid Softplus Softsign Sqrt Tanh ThresholdedRelu
"""
PAIRWISE = "Add Div Gemm MatMul Max Min Mul PRelu Pow Sub"
ELEMENTWISE = frozenset((UNARY + PAIRWISE).split())
ALONG_AXIS = frozenset("Concat LogSoftmax Softmax".split())
REDUCING = frozenset("ReduceL2 ReduceMax ReduceMean ReduceSum".split())


@dataclass(frozen=True)
class Pooling:
    """A global average pooling in the graph, from the feature grid to one vector a photo."""

    features: str
    vectors: str
    channels_first: bool


def add_heatmap(proto: onnx.ModelProto) -> bool:
    """Add the output ``heatmap``, (M, rows, columns) or (M, rows, columns, classes), to a graph with one output.

    M is the value of the second input, (1,) int64: how many photos need a heat map, at most N. The scores must depend
    on the photo through one global average pooling, followed only by operators that treat each vector independently,
    the last a sigmoid or softmax. Returns whether that holds; otherwise the graph is unchanged.
    """
    graph = proto.graph
    found = _find_head(graph)
    if found is None:
        return False
    pooling, head = found
    shapes = _infer_shapes(proto)
    grid = shapes.get(pooling.features, [])
    if pooling.channels_first and len(grid) == 4:
        grid = [grid[0], grid[2], grid[3], grid[1]]
    if len(grid) != 4 or not all(grid[1:]):
        return False
    rows, columns, channels = grid[1:]
    scores = graph.output[0]
    size = scores.type.tensor_type.shape.dim[-1].dim_value

    cells, source = "heatmap/cells", "heatmap/wanted"
    graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.INT64, [1]))
    graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "heatmap/first"))
    graph.node.append(helper.make_node("Slice", [pooling.features, "heatmap/first", INPUT, "heatmap/first"], [source]))
    if pooling.channels_first:
        graph.node.append(helper.make_node("Transpose", [source], ["heatmap/last"], perm=[0, 2, 3, 1]))
        source = "heatmap/last"
    _add_reshape(graph, source, cells, [-1, channels])
    renamed = {pooling.vectors: cells}
    for node in head[:-1]:
        twin = onnx.NodeProto.FromString(node.SerializeToString())
        renamed |= {name: f"heatmap/{name}" for name in node.output}
        twin.input[:] = [renamed.get(name, name) for name in node.input]
        twin.output[:] = [renamed[name] for name in node.output]
        graph.node.append(twin)
    shape = [rows, columns] if size == 1 else [rows, columns, size]
    logits = renamed[head[-1].input[0]]
    margins = size > 1 and head[-1].op_type == "Softmax"
    _add_reshape(graph, _add_margins(graph, logits) if margins else logits, "heatmap/grid", [-1, *shape])
    graph.initializer.append(numpy_helper.from_array(np.float32(SURE), "heatmap/sure"))
    graph.node.extend(
        [
            helper.make_node("Relu", ["heatmap/grid"], ["heatmap/evidence"]),
            helper.make_node("ReduceMax", ["heatmap/evidence"], ["heatmap/largest"], axes=[1, 2], keepdims=1),
            helper.make_node("Max", ["heatmap/largest", "heatmap/sure"], ["heatmap/scale"]),
            helper.make_node("Div", ["heatmap/evidence", "heatmap/scale"], [OUTPUT]),
        ]
    )
    graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["M", *shape]))
    return True


def read_grid(proto: onnx.ModelProto) -> tuple[int, int] | None:
    """Return (rows, columns) of the graph's heat map, or None if it has none."""
    for value in proto.graph.output:
        if value.name == OUTPUT:
            rows, columns = value.type.tensor_type.shape.dim[1:3]
            return rows.dim_value, columns.dim_value
    return None


def _add_margins(graph: onnx.GraphProto, logits: str) -> str:
    """Subtract from each of the logits (cells, classes) the best of the others; return the name of the result.

    The rival of the best is the second best, or the best itself if several are equal. This needs no ``TopK``, which
    traps in ONNX Runtime's wasm build if there are no cells.
    """
    constants = {"lowest": np.finfo(np.float32).min, "one": np.float32(1), "axis": np.array([1], np.int64)}
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), f"heatmap/{name}"))
    nodes = [
        ("ReduceMax", [logits], "best", {"axes": [1], "keepdims": 1}),
        ("Equal", [logits, "heatmap/best"], "leads", {}),
        ("Where", ["heatmap/leads", "heatmap/lowest", logits], "others", {}),
        ("ReduceMax", ["heatmap/others"], "second", {"axes": [1], "keepdims": 1}),
        ("Cast", ["heatmap/leads"], "counted", {"to": TensorProto.FLOAT}),
        ("ReduceSum", ["heatmap/counted", "heatmap/axis"], "leaders", {"keepdims": 1}),
        ("Greater", ["heatmap/leaders", "heatmap/one"], "tied", {}),
        ("Where", ["heatmap/tied", "heatmap/best", "heatmap/second"], "runner-up", {}),
        ("Where", ["heatmap/leads", "heatmap/runner-up", "heatmap/best"], "rival", {}),
        ("Sub", [logits, "heatmap/rival"], "margin", {}),
    ]
    graph.node.extend(
        helper.make_node(kind, inputs, [f"heatmap/{name}"], **fields) for kind, inputs, name, fields in nodes
    )
    return "heatmap/margin"


def _add_reshape(graph: onnx.GraphProto, source: str, target: str, shape: list[int]) -> None:
    name = f"{target}/shape"
    graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), name))
    graph.node.append(helper.make_node("Reshape", [source, name], [target]))


def _find_head(graph: onnx.GraphProto) -> tuple[Pooling, list[onnx.NodeProto]] | None:
    """Return the pooling and the nodes after it, in order, or None if the network is built differently."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    last = maker[graph.output[0].name]
    if last.op_type not in ("Sigmoid", "Softmax"):
        return None
    waiting, seen, edge = [graph.output[0].name], set(), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name in constants or not name:
            continue
        seen.add(name)
        node = maker.get(name)
        if node is None:
            return None
        if _is_per_vector(node, constants):
            waiting.extend(node.input)
        elif node.op_type != "Constant":
            edge.add(name)
    if len(edge) != 1:
        return None
    pooling = _read_pooling(edge.pop(), maker, constants)
    if pooling is None:
        return None
    head = [node for node in graph.node if node.output[0] in seen - {pooling.vectors} and node is not last]
    return pooling, [*head, last]


def _is_per_vector(node: onnx.NodeProto, constants: dict[str, TensorProto]) -> bool:
    fields = {field.name: helper.get_attribute_value(field) for field in node.attribute}
    if node.op_type in ("Gemm", "MatMul"):
        return not fields.get("transA") and node.input[1] in constants
    if node.op_type in ELEMENTWISE:
        return True
    if node.op_type in ALONG_AXIS:
        return fields.get("axis", -1) in (-1, 1)
    if node.op_type in REDUCING:
        return fields.get("keepdims", 1) == 1 and _read_axes(node, fields, constants) in ([1], [-1])
    # A Reshape or Flatten from vectors to vectors.
    if node.op_type == "Reshape" and node.input[1] in constants:
        shape = numpy_helper.to_array(constants[node.input[1]]).tolist()
        return len(shape) == 2 and shape[0] == -1
    return False


def _read_pooling(vectors: str, maker: dict[str, onnx.NodeProto], constants: dict[str, TensorProto]) -> Pooling | None:
    node = maker[vectors]
    if node.op_type == "Squeeze":
        node = maker.get(node.input[0], node)
    fields = {field.name: helper.get_attribute_value(field) for field in node.attribute}
    if node.op_type == "GlobalAveragePool":
        return Pooling(node.input[0], vectors, channels_first=True)
    if node.op_type == "ReduceMean":
        axes = _read_axes(node, fields, constants)
        if axes in ([1, 2], [2, 3]):
            return Pooling(node.input[0], vectors, channels_first=axes == [2, 3])
    return None


def _read_axes(node: onnx.NodeProto, fields: dict, constants: dict[str, TensorProto]) -> list[int]:
    if len(node.input) > 1:
        tensor = constants.get(node.input[1])
        return [] if tensor is None else numpy_helper.to_array(tensor).tolist()
    return list(fields.get("axes", []))


def _infer_shapes(proto: onnx.ModelProto) -> dict[str, list[int]]:
    inferred = onnx.shape_inference.infer_shapes(proto)
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*inferred.graph.value_info, *inferred.graph.input)
    }
