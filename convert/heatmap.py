"""The class activation map: a second output that shows which parts of the photo speak for the positive class.

If a network ends in a global average pooling and a head that sees one vector, the head can be applied to each cell of
the last feature grid as well: what would it say if the whole photo looked like this cell? For a linear head the mean
of the cells' logits is the photo's logit (CAM: Zhou et al., Learning Deep Features for Discriminative Localization,
2016).

The evidence z of a cell is the logit before the last sigmoid; with several labels, it is a label's margin over the best
other label before the softmax (the same thing for two). A value of the map is max(z, 0) / max(largest z, ``SURE``), so

- 0 means the cell does not speak for the class;
- the strongest cell is 1 if it alone makes the network ``SURE``, however much surer it is. Probabilities would be 1
  nearly everywhere on a dog and would not show where it is;
- weak evidence is not stretched: a photo without the class stays dark.

ONNX Runtime computes every output, requested or not, and applying the head to each cell can cost a good part of the
network. The graph therefore has a second input: how many photos, counted from the first of the batch, need a heat map.
0 applies the head to nothing.
"""

import math

import keras
import numpy as np

INPUT = "heatmaps"
OUTPUT = "heatmap"
# The log-odds of 95 %.
SURE = math.log(0.95 / 0.05)


class Cells(keras.layers.Layer):
    """Replaces the pooling: turns each cell of (N, rows, columns, C) into a vector, (N * rows * columns, C)."""

    def call(self, features):
        return keras.ops.reshape(features, (-1, features.shape[-1]))

    def compute_output_shape(self, shape):
        return (None, shape[-1])


def find_poolings(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the GlobalAveragePooling2D layers of ``model`` and of the models it contains."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += find_poolings(layer)
        elif isinstance(layer, keras.layers.GlobalAveragePooling2D):
            found.append(layer)
    return found


def keras_heatmap(model: keras.Model, inputs: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return the heat map that Keras computes: (N, rows, columns) or (N, rows, columns, classes).

    It uses the same layers, with the one pooling replaced by its cells and without the last activation, so it does not
    depend on what ``add_heatmap`` does to a graph.
    """
    (pooling,) = find_poolings(model)
    last = _find_last_layer(model)
    bare = _remove_activation(last)

    def choose_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer is pooling:
            return Cells()
        return bare if layer is last else layer

    twin = keras.models.clone_model(model, clone_function=choose_layer, recursive=True)
    bare.set_weights(last.get_weights())
    logits = keras.ops.convert_to_numpy(twin(inputs)).astype(np.float64)
    return scale_evidence(logits.reshape(len(inputs), rows, columns, -1))


def scale_evidence(logits: np.ndarray) -> np.ndarray:
    """Return the map of logits (N, rows, columns, classes); with one class, without that last dimension."""
    if logits.shape[-1] == 1:
        evidence = logits[..., 0]
    else:
        second, best = np.moveaxis(np.sort(logits, axis=-1)[..., -2:], -1, 0)
        evidence = logits - np.where(logits == best[..., None], second[..., None], best[..., None])
    largest = evidence.max(axis=(1, 2), keepdims=True)
    return np.maximum(evidence, 0) / np.maximum(largest, SURE)


def _find_last_layer(model: keras.Model) -> keras.layers.Layer:
    last = model.layers[-1]
    return _find_last_layer(last) if isinstance(last, keras.Model) else last


def _remove_activation(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer, without weights yet, that returns the input of the activation of ``layer``."""
    if isinstance(layer, keras.layers.Activation | keras.layers.Softmax):
        return keras.layers.Identity()
    return type(layer).from_config({**layer.get_config(), "activation": "linear"})
