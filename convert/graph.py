"""A Keras model as an ONNX graph: input ``input`` (N, H, W, 3) float32 in [0, 1], output ``scores`` (N, C) float32.

Where the network allows it there are a second input and output, ``heatmaps`` and ``heatmap`` (see heatmap.py).
"""

import logging

import keras
import onnx
import tensorflow as tf
import tf2onnx

from contract import Contract
from fold import fold_normalisations
from heatmap import INPUT, OUTPUT, poolings_of
from heatmap_graph import add_heatmap
from inspect_file import ConversionError

OPSET = 17
PRODUCER = "husky-ai"

# What the Keras model wants, as (factor, offset) on an input in [0, 1]. It becomes part of the graph.
INPUT_RANGES = {"0..1": (1.0, 0.0), "0..255": (255.0, 0.0), "-1..1": (2.0, -1.0)}


def to_onnx(model: keras.Model, contract: Contract, input_range: str = "0..1") -> onnx.ModelProto:
    """Return the checked ONNX form of ``model``; the same model gives the same bytes each time.

    Raises ``ConversionError`` where tf2onnx cannot convert it, or only to operators that are not ONNX's own.
    """
    factor, offset = INPUT_RANGES[input_range]

    def answer(pixels: tf.Tensor) -> tf.Tensor:
        scaled = pixels if input_range == "0..1" else pixels * factor + offset
        return model(scaled, training=False)

    signature = [tf.TensorSpec((None, contract.height, contract.width, 3), tf.float32, name="input")]
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    try:
        proto, _ = tf2onnx.convert.from_function(tf.function(answer, signature), signature, opset=OPSET)
    except Exception as error:  # tf2onnx has no error class of its own
        raise ConversionError(f"tf2onnx cannot convert this network: {_first_line(error)}") from error
    if len(proto.graph.input) != 1 or len(proto.graph.output) != 1:
        raise ConversionError("the graph must have one input and one output")
    fold_normalisations(proto)
    if len(poolings_of(model)) == 1:
        add_heatmap(proto)
    _tidy(proto)
    _check(proto, contract)
    return proto


def _tidy(proto: onnx.ModelProto) -> None:
    """Put the graph into one canonical form: our names, an order given by its structure, nothing about tools.

    tf2onnx names and orders by counters and sets, so two runs would differ in bytes and not in meaning.
    """
    graph = proto.graph
    nodes = _in_order(graph)
    renamed = {graph.input[0].name: "input", graph.output[0].name: "scores", INPUT: INPUT, OUTPUT: OUTPUT}
    weights = {tensor.name: tensor for tensor in graph.initializer}
    kept: list[onnx.TensorProto] = []
    for index, node in enumerate(nodes):
        node.name, node.doc_string = f"{node.op_type}_{index}", ""
        for name in node.input:
            if name in weights and name not in renamed:
                renamed[name] = f"weight_{len(kept)}"
                kept.append(weights[name])
        for place, name in enumerate(node.output):
            renamed.setdefault(name, f"{node.name}_{place}" if name else "")
        attributes = sorted(node.attribute, key=lambda attribute: attribute.name)
        del node.attribute[:]
        node.attribute.extend(attributes)
    for node in nodes:
        node.input[:] = [renamed[name] if name else "" for name in node.input]
        node.output[:] = [renamed[name] for name in node.output]
    for tensor in kept:
        tensor.name, tensor.doc_string = renamed[tensor.name], ""
    for value in (*graph.input, *graph.output):
        value.name, value.doc_string = renamed[value.name], ""
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    imports = [entry for entry in proto.opset_import if entry.domain in {node.domain for node in nodes}]

    clean = onnx.helper.make_graph(nodes, "husky", graph.input, graph.output, kept)
    graph.CopyFrom(clean)
    del proto.opset_import[:]
    proto.opset_import.extend(imports)
    del proto.metadata_props[:]
    proto.producer_name, proto.producer_version, proto.doc_string = PRODUCER, "", ""


def _in_order(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return copies of the nodes that the outputs need, each after its inputs, depth first from the outputs."""
    maker = {name: node for node in graph.node for name in node.output}
    order: list[onnx.NodeProto] = []
    done: set[int] = set()
    stack = [(value.name, False) for value in reversed(graph.output)]
    while stack:
        name, ready = stack.pop()
        node = maker.get(name)
        if node is None or id(node) in done:
            continue
        if ready:
            done.add(id(node))
            order.append(onnx.NodeProto.FromString(node.SerializeToString()))
        else:
            stack.append((name, True))
            stack.extend((source, False) for source in reversed(node.input))
    return order


def _check(proto: onnx.ModelProto, contract: Contract) -> None:
    graph = proto.graph
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in graph.node if node.domain not in ("", "ai.onnx")})
    if foreign or proto.functions:
        raise ConversionError(f"the graph needs operators that are not ONNX's own: {', '.join(foreign)}")
    nested = sorted({node.op_type for node in graph.node if any(field.HasField("g") for field in node.attribute)})
    if nested:
        raise ConversionError(f"the graph has branches or loops ({', '.join(nested)}), which are not served")
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in graph.initializer):
        raise ConversionError("the graph keeps its weights outside of the file")
    for value, rest in ((graph.input[0], [contract.height, contract.width, 3]), (graph.output[0], [contract.size])):
        kind = value.type.tensor_type
        if kind.elem_type != onnx.TensorProto.FLOAT or [dim.dim_value for dim in kind.shape.dim[1:]] != rest:
            raise ConversionError(f"'{value.name}' of the graph has another shape or type than the network's")
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionError(f"the graph is not valid ONNX: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
