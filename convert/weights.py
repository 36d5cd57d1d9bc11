"""The weights of a graph in a file of their own, weights.bin, large ones as float16 where that can be proved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from convert.keras_file import Model, to_numpy
from convert.tracing import trace

# Smaller tensors (biases, shapes, constants) stay in the graph.
MIN_ELEMENTS = 1024
# The files of a release.
GRAPH, WEIGHTS = "graph.onnx", "weights.bin"
LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Served:
    """A graph and its weights as served.

    ``weights`` is the content of weights.bin, ``tensors`` its table in the manifest, ``widened`` what ONNX Runtime gets
    as ``weights.bin``: all of them float32. ``rounded`` has the variables (index in ``model.weights`` to value) with
    which Keras computes the same.
    """

    graph: bytes
    weights: bytes
    widened: bytes
    tensors: list[dict[str, Any]]
    rounded: dict[int, np.ndarray]

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the release, without its manifest."""
        return {GRAPH: self.graph, WEIGHTS: self.weights}


def read_large(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Return the float32 initialisers that belong in weights.bin, in the order of the graph."""
    large = {}
    for tensor in proto.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims, dtype=np.int64) >= MIN_ELEMENTS:
            large[tensor.name] = numpy_helper.to_array(tensor)
    return large


def separate_weights(proto: onnx.ModelProto, model: Model | None) -> Served:
    """Move the large weights of ``proto`` to a file of their own; the graph refers to that file widened to float32.

    With ``model``, they are rounded to float16 where they can be traced back to its variables and fit.
    """
    weights = read_large(proto)
    halves, rounded = round_weights(weights, model) if model else ({}, {})
    served = onnx.ModelProto()
    served.CopyFrom(proto)
    stored, widened, tensors, start, offset = [], [], [], 0, 0
    for tensor in served.graph.initializer:
        if tensor.name not in weights:
            continue
        values = halves.get(tensor.name, weights[tensor.name])
        stored.append(values.astype(values.dtype.newbyteorder("<")).tobytes())
        widened.append(values.astype("<f4").tobytes())
        tensors.append({"name": tensor.name, "dtype": values.dtype.name, "shape": list(values.shape), "offset": offset})
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", start), ("length", len(widened[-1]))):
            tensor.external_data.add(key=key, value=str(value))
        start, offset = start + len(widened[-1]), offset + len(stored[-1])
    graph = served.SerializeToString(deterministic=True)
    return Served(graph, b"".join(stored), b"".join(widened), tensors, rounded)


def round_weights(
    weights: Mapping[str, np.ndarray], model: Model
) -> tuple[dict[str, np.ndarray], dict[int, np.ndarray]]:
    """Return the weights that can be stored as float16, and the variables with which Keras computes the same.

    A weight can if float16 holds it exactly, or if it fits and is the only trace of a variable: otherwise Keras could
    not hold the rounded one.
    """
    halves = {
        name: values.astype(np.float16) for name, values in weights.items() if np.abs(values).max(initial=0) <= LARGEST
    }
    exact = {name: half for name, half in halves.items() if np.array_equal(half.astype(np.float32), weights[name])}
    rounded: dict[int, np.ndarray] = {}
    origins = trace({name: weights[name] for name in weights.keys() - exact.keys()}, model)
    users: dict[int, list[str]] = {}
    for name, origin in origins.items():
        users.setdefault(origin.variable, []).append(name)
    for variable, names in users.items():
        if any(name not in halves for name in names):
            continue
        value = to_numpy(model.weights[variable])
        inverted = [origins[name].invert(halves[name].astype(np.float64), value) for name in names]
        if all(np.allclose(inverted[0], other, rtol=1e-6, atol=0) for other in inverted):
            rounded[variable] = inverted[0]
            exact |= {name: halves[name] for name in names}
    return exact, rounded
