"""Opens Keras files with the Keras that wrote them. What differs between Keras 2 and 3 is only here."""

import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from convert.contract import Contract
from convert.errors import ConversionError
from convert.input_range import scale_input
from convert.inspection import Inspected, inspect_file, write_inspected
from convert.keras_classes import ARITHMETIC_IN_HDF5

# A keras.Model or tf_keras.Model, and a layer of either: they have no common class.
Model = Any
Layer = Any

MAX_REASON = 500
SOFTMAX = {"Softmax", "nn.softmax", "softmax", "softmax_v2"}
SIGMOID = {"Sigmoid", "math.sigmoid", "nn.sigmoid", "sigmoid"}


def prepare_copy(path: Path) -> Inspected:
    """Inspect ``path``, a private copy of a Keras file, and reduce it to what was inspected.

    Raises ``ConversionError``.
    """
    inspected = inspect_file(path)
    write_inspected(inspected, path)
    return inspected


def load_model(path: Path) -> Model:
    """Return the model in a Keras file, opened by the Keras that wrote it. Nothing but its layers is loaded.

    Keras opens a copy that contains only what was inspected: no loss, no custom initializer.
    Raises ``ConversionError`` if the file does not pass inspection or Keras cannot load it.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        inspected = prepare_copy(copy)
        # Keras goes by the suffix.
        copy = copy.rename(copy.with_suffix(".keras" if inspected.kind == "keras" else ".h5"))
        return _load_with_keras_2(copy) if inspected.keras == 2 else _load_with_keras_3(copy)


def _load_with_keras_3(path: Path) -> Model:
    keras.config.disable_traceback_filtering()
    functions = {"softmax_v2": keras.activations.softmax}
    with _loading("Keras"):
        model = keras.models.load_model(path, custom_objects=functions | _define_layers(keras), compile=False)
    _rename(model, "name")
    return model


def _load_with_keras_2(path: Path) -> Model:
    # Only files of Keras 2 need it, and importing it takes a second.
    import tf_keras

    functions = {"relu6": tf.nn.relu6, "hard_swish": _hard_swish, "leaky_relu": tf.nn.leaky_relu, "silu": tf.nn.silu}
    layers = tf_keras.layers

    class SpectralNormalization(layers.SpectralNormalization):
        """Builds what a file contains; tf_keras's own method takes a class from Keras 3."""

        def build(self, input_shape: tf.TensorShape) -> None:
            layers.Wrapper.build(self, input_shape)
            self.kernel = self.layer.kernel
            self.vector_u = self.add_weight(name="vector_u", shape=(1, self.kernel.shape[-1]), trainable=False)

    names = ("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization")
    replaced = dict.fromkeys(names, layers.BatchNormalization)
    replaced |= {"FixedDropout": layers.Dropout, "SpectralNormalization": SpectralNormalization}
    with _loading("Keras 2"):
        model = tf_keras.models.load_model(
            path, custom_objects=functions | replaced | _define_layers(tf_keras), compile=False
        )
    for layer in flatten_layers(model):
        if kind_of(layer) in ("CenterCrop", "RandomCrop"):
            object.__setattr__(layer, "call", partial(_crop_in_keras_2, layer))
    _rename(model, "_name")
    return model


def _define_layers(library: Any) -> dict[str, type]:
    """Return layers that either Keras does not find by itself, by name: of ConvNeXt, and AutoKeras's, defined here."""

    class CastToFloat32(library.layers.Layer):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return tf.cast(inputs, tf.float32)

    class ExpandLastDim(library.layers.Layer):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return tf.expand_dims(inputs, -1)

    convnext = import_module(f"{library.__name__}.src.applications.convnext")
    return {
        "LayerScale": convnext.LayerScale,
        "StochasticDepth": convnext.StochasticDepth,
        "Custom>CastToFloat32": CastToFloat32,
        "Custom>ExpandLastDim": ExpandLastDim,
    }


def _crop_in_keras_2(layer: Layer, images: tf.Tensor, **_named: object) -> tf.Tensor:
    """Return what a CenterCrop or RandomCrop does at inference. Its own code holds all branches, for any size."""
    from tf_keras.preprocessing.image import smart_resize

    height, width = images.shape[1:3]
    if kind_of(layer) == "CenterCrop" and height >= layer.height and width >= layer.width:
        top, left = (height - layer.height) // 2, (width - layer.width) // 2
        return images[:, top : top + layer.height, left : left + layer.width]
    return smart_resize(images, (layer.height, layer.width))


def _rename(layer: Layer, field: str) -> None:
    """Give ``layer`` and the layers in it names that TensorFlow accepts in a graph, so without spaces."""
    name = re.sub(r"[^A-Za-z0-9_./>-]", "_", layer.name)
    if name != layer.name or not name[:1].isalnum():
        setattr(layer, field, f"layer{name}")
    for inner in getattr(layer, "layers", ()):
        _rename(inner, field)


@contextmanager
def _loading(name: str) -> Iterator[None]:
    # Keras warns about a tensor if the file declares its one input as a list.
    warnings.filterwarnings("ignore", message="The structure of `inputs`", category=UserWarning)
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # a file that passed inspection can still be broken in any way
        reason = last_line(error)
        if "Only input tensors may be passed as positional arguments" in reason:
            reason = ARITHMETIC_IN_HDF5
        raise ConversionError(f"{name} cannot load it: {reason}") from error


def last_line(error: Exception) -> str:
    """Return the end of the message of ``error``: Keras and TensorFlow give the reason last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = (lines or [type(error).__name__])[-1].removeprefix("Exception encountered: ")
    return reason if len(reason) <= MAX_REASON else f"… {reason[-MAX_REASON:]}"


def _hard_swish(x: tf.Tensor) -> tf.Tensor:
    return x * tf.nn.relu6(x + 3) / 6


def call_model(
    model: Model, contract: Contract, input_range: str, images: tf.Tensor, *, as_logits: bool = False
) -> tf.Tensor:
    """Return the scores (N, size) of ``images`` (N, H, W, C), float32 in [0, 1], at inference.

    ``as_logits`` leaves out the activation that the contract appends; that of the model needs ``without_activation``.
    """
    pixels = scale_input(images, input_range)
    if contract.dtype != "float32":
        pixels = tf.cast(tf.round(pixels), contract.dtype)
    if contract.dimensions == 3:
        pixels = tf.squeeze(pixels, axis=-1)
    elif contract.dimensions == 2:
        pixels = tf.reshape(pixels, (-1, contract.height * contract.width * contract.channels))
    outputs = tf.nest.flatten(model(pixels, training=False))
    scores = outputs[contract.output]
    if scores.dtype != tf.float32:
        scores = tf.cast(scores, tf.float32)
    if scores.shape.rank != 2:
        scores = tf.reshape(scores, (-1, contract.size))
    if contract.appended and not as_logits:
        scores = (tf.nn.softmax if contract.activation == "softmax" else tf.nn.sigmoid)(scores)
    return scores


def is_model(layer: Layer) -> bool:
    """Whether ``layer`` is a model inside a model."""
    return hasattr(layer, "layers") and hasattr(layer, "outputs")


def kind_of(layer: Layer) -> str:
    """Return the name of the class of ``layer``, the same in both Keras."""
    return type(layer).__name__


def flatten_layers(model: Model) -> Iterator[Layer]:
    """Yield the layers of ``model`` and of the models it contains."""
    for layer in model.layers:
        if is_model(layer):
            yield from flatten_layers(layer)
        else:
            yield layer


def find_output_layer(model: Model, index: int = 0) -> Layer:
    """Return the layer that computes an output of ``model``, in a nested model if need be."""
    history = model.outputs[index]._keras_history
    layer = history.layer if hasattr(history, "layer") else history.operation
    return find_output_layer(layer, history.tensor_index) if is_model(layer) else layer


def name_activation(layer: Layer) -> str:
    """Return the name of the activation that ``layer`` ends in, or of its class."""
    function = getattr(layer, "activation", None)
    config = layer.get_config() if kind_of(layer) == "TFOpLambda" else {}
    return config.get("function") or getattr(function, "__name__", None) or kind_of(layer)


def read_activation(layer: Layer) -> str | None:
    """Return "softmax" or "sigmoid" if ``layer`` ends in one."""
    name = name_activation(layer)
    if name in SOFTMAX and getattr(layer, "axis", -1) in (-1, 1):
        return "softmax"
    return "sigmoid" if name in SIGMOID else None


def describe_end(layer: Layer) -> str:
    """Return "softmax" or "sigmoid" if ``layer`` ends in one, else the name of its activation or class."""
    return read_activation(layer) or name_activation(layer)


@contextmanager
def without_activation(layer: Layer) -> Iterator[None]:
    """Make ``layer``, which ends in an activation, return that activation's input meanwhile."""
    if callable(getattr(layer, "activation", None)):
        activation = layer.activation
        layer.activation = _identity
        try:
            yield
        finally:
            layer.activation = activation
    else:
        with calling(layer, _identity):
            yield


def _identity(inputs: tf.Tensor, *_arguments: object, **_named: object) -> tf.Tensor:
    return inputs


@contextmanager
def calling(layer: Layer, function: Any) -> Iterator[None]:
    """Make ``layer`` compute ``function`` of its inputs meanwhile."""
    own = vars(layer).get("call")
    object.__setattr__(layer, "call", function)
    try:
        yield
    finally:
        if own is None:
            object.__delattr__(layer, "call")
        else:
            object.__setattr__(layer, "call", own)


def read_weights(model: Model) -> list[np.ndarray]:
    """Return the values of ``model.weights``, in their order, which is the same each time the file is loaded."""
    return [to_numpy(weight) for weight in model.weights]


def to_numpy(value: Any) -> np.ndarray:
    """Return a tensor or variable of either Keras as an array."""
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
