"""A Keras model as an ONNX graph: input ``input`` (N, H, W, C) float32 in [0, 1], output ``scores`` (N, size) float32.

If the network allows it, the graph also has an input ``heatmaps`` and an output ``heatmap`` (see heatmap.py).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from convert.contract import Contract
from convert.errors import ConversionError
from convert.folding import fold_normalisations
from convert.heatmap import INPUT, OUTPUT, find_poolings
from convert.heatmap_graph import add_heatmap
from convert.input_range import INPUT_RANGES
from convert.keras_file import Model, call_model, last_line
from convert.resizing import correct_resizes
from convert.tensorflow_ops import HANDLERS

OPSET = 17
PRODUCER = "husky-ai"

__all__ = ["INPUT_RANGES", "canonicalise", "to_onnx"]


def to_onnx(model: Model, contract: Contract, input_range: str = "0..1") -> onnx.ModelProto:
    """Return ``model`` as a checked ONNX graph; the same model always gives the same bytes.

    Raises ``ConversionError`` if tf2onnx cannot convert it, or needs operators outside the ONNX standard.
    """

    def predict(pixels: tf.Tensor) -> tf.Tensor:
        return call_model(model, contract, input_range, pixels)

    shape = (None, contract.height, contract.width, contract.channels)
    signature = [tf.TensorSpec(shape, tf.float32, name="input")]
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    function = tf.function(predict, signature)
    try:
        with _inlined_functions():
            proto, _ = tf2onnx.convert.from_function(
                function, signature, opset=OPSET, custom_op_handlers=dict(HANDLERS)
            )
            _freeze_captures(proto, function.get_concrete_function())
    except Exception as error:  # tf2onnx defines no error class
        raise ConversionError(f"tf2onnx cannot convert this network: {last_line(error)}") from error
    if len(proto.graph.input) != 1 or len(proto.graph.output) != 1:
        raise ConversionError("the graph must have one input and one output")
    _express_in_standard(proto)
    correct_resizes(proto)
    fold_normalisations(proto)
    if len(find_poolings(model)) == 1:
        add_heatmap(proto)
    canonicalise(proto)
    _check(proto, contract)
    return proto


@contextmanager
def _inlined_functions() -> Iterator[None]:
    """Make compiled functions part of the graph that is traced meanwhile: Keras compiles grouped convolutions."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def _freeze_captures(proto: onnx.ModelProto, function: tf.types.experimental.ConcreteFunction) -> None:
    """Turn the inputs of ``proto`` that stand for constants of ``function`` into initialisers, in place.

    A ``Normalization`` keeps its mean and variance as constants, not variables. TensorFlow passes such constants to a
    function as further arguments, which tf2onnx takes for inputs.
    """
    captured = {inner.name: outer for outer, inner in function.graph.captures if outer.dtype != tf.resource}
    graph = proto.graph
    for value in [value for value in graph.input if value.name in captured]:
        graph.initializer.append(onnx.numpy_helper.from_array(captured[value.name].numpy(), value.name))
        graph.input.remove(value)


def _express_in_standard(proto: onnx.ModelProto) -> None:
    """Express in ONNX's operators those that tf2onnx leaves, in place: each is one of them before or after adding 1."""
    graph = proto.graph
    # Keras's exact gelu uses Erfc; elu and celu use Expm1.
    kept = [node for node in graph.node if node.op_type not in ("Erfc", "Expm1", "Log1p")]
    if len(kept) == len(graph.node):
        return
    one = "standard/one"
    graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1), one))
    for node in graph.node:
        (given,), (result,), between = node.input[:1] or [""], node.output[:1], f"{node.output[0]}/between"
        match node.op_type:
            case "Erfc":
                steps = [("Erf", [given], between), ("Sub", [one, between], result)]
            case "Expm1":
                steps = [("Exp", [given], between), ("Sub", [between, one], result)]
            case "Log1p":
                steps = [("Add", [given, one], between), ("Log", [between], result)]
            case _:
                continue
        kept.extend(onnx.helper.make_node(kind, inputs, [output]) for kind, inputs, output in steps)
    del graph.node[:]
    graph.node.extend(kept)


def canonicalise(proto: onnx.ModelProto) -> None:
    """Give the graph fixed names, an order that follows from its structure, and no metadata of tools.

    tf2onnx names and orders nodes by counters and sets, so two runs give different bytes with the same meaning.
    Initialisers are in the order in which the nodes first read them.
    """
    graph = proto.graph
    nodes = _sort_nodes(graph)
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


def _sort_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return copies of the nodes the outputs depend on, each after its inputs, depth first from the outputs."""
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


def _is_standard(node: onnx.NodeProto) -> bool:
    return node.domain in ("", "ai.onnx") and onnx.defs.has(node.op_type, OPSET)


def _check(proto: onnx.ModelProto, contract: Contract) -> None:
    graph = proto.graph
    foreign = sorted({node.op_type for node in graph.node if not _is_standard(node)})
    if foreign or proto.functions:
        raise ConversionError(
            f"the graph needs operators outside the ONNX standard: {', '.join(foreign)}; leave the layer or the "
            "arithmetic that uses them out of the model, copy the weights, and save it"
        )
    nested = sorted({node.op_type for node in graph.node if any(field.HasField("g") for field in node.attribute)})
    if nested:
        raise ConversionError(f"the graph has branches or loops ({', '.join(nested)}), which the Worker does not serve")
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in graph.initializer):
        raise ConversionError("the graph keeps its weights in another file")
    sides = [contract.height, contract.width, contract.channels]
    for value, rest in ((graph.input[0], sides), (graph.output[0], [contract.size])):
        kind = value.type.tensor_type
        if kind.elem_type != onnx.TensorProto.FLOAT or [dim.dim_value for dim in kind.shape.dim[1:]] != rest:
            raise ConversionError(f"'{value.name}' of the graph differs from the network in shape or type")
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionError(f"the graph is not valid ONNX: {last_line(error)}") from error
