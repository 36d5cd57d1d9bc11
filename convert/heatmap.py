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

import keras
import numpy as np

INPUT = "heatmaps"
OUTPUT = "heatmap"
# The log-odds of 95 %.
SURE = math.log(0.95 / 0.05)


class Cells(keras.layers.Layer):
    """In place of the pooling: every cell of (N, rows, columns, C) as a vector of its own, (N * rows * columns, C)."""

    def call(self, features):
        return keras.ops.reshape(features, (-1, features.shape[-1]))

    def compute_output_shape(self, shape):
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
