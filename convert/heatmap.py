"""The class activation map: a second output that says which parts of the photo speak for the positive class.

Where a network ends in a global average pooling and a head that sees one vector, the head can be asked about every
cell of the last feature grid as well: what would it say if the whole photo looked like this cell? For a linear head the
mean of the cells' logits is the photo's logit (CAM: Zhou et al., Learning Deep Features for Discriminative
Localization, 2016).

The evidence z of a cell is the logit before the last sigmoid; of several labels, a label's margin over the best other
one before the softmax (the same thing for two). A value of the map is max(z, 0) / max(largest z, ``SURE``), so

- 0 says that the cell does not speak for the class;
- the strongest cell is 1 where it alone would make the network ``SURE``, however much surer it is. Probabilities would
  be 1 nearly everywhere on a dog, and would not say where it is;
- weak evidence is not stretched: a photo without the class stays dark.

ONNX Runtime computes every output, asked for or not, and a head can be worth a good part of the network when it is
applied to each cell. So the graph has a second input, the number of photos, from the first of a batch, that want a
heat map: with 0 the head is applied to nothing.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUT = "heatmaps"
OUTPUT = "heatmap"
# The log-odds of 95 %.
SURE = math.log(0.95 / 0.05)

# What may stand between the pooling and the scores: each works on every vector (row) by itself.
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
    """A global average pooling in the graph: from the feature grid, to one vector for each photo."""

    features: str
    vectors: str
    channels_first: bool


class Cells(keras.layers.Layer):
    """In place of the pooling: every cell of (N, rows, columns, C) as a vector of its own, (N * rows * columns, C)."""

    def call(self, features):  # noqa: D102
        return keras.ops.reshape(features, (-1, features.shape[-1]))

    def compute_output_shape(self, shape):  # noqa: D102
        return (None, shape[-1])


def poolings_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the GlobalAveragePooling2D layers of ``model`` and of the models inside it."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += poolings_of(layer)
        elif isinstance(layer, keras.layers.GlobalAveragePooling2D):
            found.append(layer)
    return found


def keras_heatmap(model: keras.Model, inputs: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return what Keras makes of each cell, (N, rows, columns) or (N, rows, columns, classes).

    The same layers, with the one pooling replaced by its cells and the last activation left out: independent of what
    ``add_heatmap`` does to a graph.
    """
    (pooling,) = poolings_of(model)
    last = _last_layer(model)
    bare = _without_activation(last)

    def twin_of(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer is pooling:
            return Cells()
        return bare if layer is last else layer

    twin = keras.models.clone_model(model, clone_function=twin_of, recursive=True)
    bare.set_weights(last.get_weights())
    logits = keras.ops.convert_to_numpy(twin(inputs)).astype(np.float64)
    return evidence_of(logits.reshape(len(inputs), rows, columns, -1))


def evidence_of(logits: np.ndarray) -> np.ndarray:
    """Return the map (N, rows, columns) of logits (N, rows, columns, 1), and with classes of logits with classes."""
    if logits.shape[-1] == 1:
        evidence = logits[..., 0]
    else:
        second, best = np.moveaxis(np.sort(logits, axis=-1)[..., -2:], -1, 0)
        evidence = logits - np.where(logits == best[..., None], second[..., None], best[..., None])
    largest = evidence.max(axis=(1, 2), keepdims=True)
    return np.maximum(evidence, 0) / np.maximum(largest, SURE)


def _last_layer(model: keras.Model) -> keras.layers.Layer:
    last = model.layers[-1]
    return _last_layer(last) if isinstance(last, keras.Model) else last


def _without_activation(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer, without weights yet, that gives what goes into the activation of ``layer``."""
    if isinstance(layer, keras.layers.Activation | keras.layers.Softmax):
        return keras.layers.Identity()
    return type(layer).from_config({**layer.get_config(), "activation": "linear"})


def add_heatmap(proto: onnx.ModelProto) -> bool:
    """Give a graph with one output a second one, (M, rows, columns) or (M, rows, columns, classes), where it can.

    M is how many photos want one: the value of the second input, (1,) int64, at most N. It can where the scores depend on the photo through one global average pooling and, after that, through operators
    that treat each vector by itself, the last of them a sigmoid or softmax. Returns whether it could; otherwise the graph is as it was.
    """
    graph = proto.graph
    found = _find_head(graph)
    if found is None:
        return False
    pooling, head = found
    shapes = _shapes(proto)
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
    graph.node.append(
        helper.make_node("Slice", [pooling.features, "heatmap/first", INPUT, "heatmap/first"], [source])
    )
    if pooling.channels_first:
        graph.node.append(helper.make_node("Transpose", [source], ["heatmap/last"], perm=[0, 2, 3, 1]))
        source = "heatmap/last"
    _reshape(graph, source, cells, [-1, channels])
    renamed = {pooling.vectors: cells}
    for node in head[:-1]:
        twin = onnx.NodeProto.FromString(node.SerializeToString())
        renamed |= {name: f"heatmap/{name}" for name in node.output}
        twin.input[:] = [renamed.get(name, name) for name in node.input]
        twin.output[:] = [renamed[name] for name in node.output]
        graph.node.append(twin)
    shape = [rows, columns] if size == 1 else [rows, columns, size]
    logits = renamed[head[-1].input[0]]
    _reshape(graph, logits if size == 1 else _margins(graph, logits), "heatmap/grid", [-1, *shape])
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


def grid_of(proto: onnx.ModelProto) -> tuple[int, int] | None:
    """Return (rows, columns) of the graph's heat map, None where it has none."""
    for value in proto.graph.output:
        if value.name == OUTPUT:
            rows, columns = value.type.tensor_type.shape.dim[1:3]
            return rows.dim_value, columns.dim_value
    return None


def _margins(graph: onnx.GraphProto, logits: str) -> str:
    """Add what takes from each of (cells, classes) logits the best of the others; return the result's name."""
    graph.initializer.append(numpy_helper.from_array(np.array([2], np.int64), "heatmap/two"))
    graph.node.extend(
        [
            helper.make_node("TopK", [logits, "heatmap/two"], ["heatmap/top", "heatmap/places"], axis=1),
            helper.make_node("Split", ["heatmap/top"], ["heatmap/best", "heatmap/second"], axis=1),
            helper.make_node("Equal", [logits, "heatmap/best"], ["heatmap/leads"]),
            helper.make_node("Where", ["heatmap/leads", "heatmap/second", "heatmap/best"], ["heatmap/rival"]),
            helper.make_node("Sub", [logits, "heatmap/rival"], ["heatmap/margin"]),
        ]
    )
    return "heatmap/margin"


def _reshape(graph: onnx.GraphProto, source: str, target: str, shape: list[int]) -> None:
    name = f"{target}/shape"
    graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), name))
    graph.node.append(helper.make_node("Reshape", [source, name], [target]))


def _find_head(graph: onnx.GraphProto) -> tuple[Pooling, list[onnx.NodeProto]] | None:
    """Return the pooling and the nodes after it, in order; None where the network is not built like that."""
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
    pooling = _pooling_at(edge.pop(), maker, constants)
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
        return fields.get("keepdims", 1) == 1 and _axes(node, fields, constants) in ([1], [-1])
    # A Reshape or Flatten of vectors to vectors.
    if node.op_type == "Reshape" and node.input[1] in constants:
        shape = numpy_helper.to_array(constants[node.input[1]]).tolist()
        return len(shape) == 2 and shape[0] == -1
    return False


def _pooling_at(
    vectors: str, maker: dict[str, onnx.NodeProto], constants: dict[str, TensorProto]
) -> Pooling | None:
    node = maker[vectors]
    if node.op_type == "Squeeze":
        node = maker.get(node.input[0], node)
    fields = {field.name: helper.get_attribute_value(field) for field in node.attribute}
    if node.op_type == "GlobalAveragePool":
        return Pooling(node.input[0], vectors, channels_first=True)
    if node.op_type == "ReduceMean":
        axes = _axes(node, fields, constants)
        if axes in ([1, 2], [2, 3]):
            return Pooling(node.input[0], vectors, channels_first=axes == [2, 3])
    return None


def _axes(node: onnx.NodeProto, fields: dict, constants: dict[str, TensorProto]) -> list[int]:
    if len(node.input) > 1:
        tensor = constants.get(node.input[1])
        return [] if tensor is None else numpy_helper.to_array(tensor).tolist()
    return list(fields.get("axes", []))


def _shapes(proto: onnx.ModelProto) -> dict[str, list[int]]:
    inferred = onnx.shape_inference.infer_shapes(proto)
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*inferred.graph.value_info, *inferred.graph.input)
    }
