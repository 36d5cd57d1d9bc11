"""The class activation map: a second output that shows which parts of the photo speak for the positive class.

If a network ends in a global average pooling and a head that sees one vector, the head can be applied to each cell of
the last feature grid as well: what would it say if the whole photo looked like this cell? For a linear head the mean
of the cells' logits is the photo's logit (CAM: Zhou et al., Learning Deep Features for Discriminative Localization,
2016).

The evidence z of a cell is the logit before the last sigmoid, of each label if they are independent; before a softmax,
it is a label's margin over the best other label (the same thing for two). A value of the map is
max(z, 0) / max(largest z, ``SURE``), so

- 0 means the cell does not speak for the class;
- the strongest cell is 1 if it alone makes the network ``SURE``, however much surer it is. Probabilities would be 1
  nearly everywhere on a dog and would not show where it is;
- weak evidence is not stretched: a photo without the class stays dark.

ONNX Runtime computes every output, requested or not, and applying the head to each cell can cost a good part of the
network. The graph therefore has a second input: how many photos, counted from the first of the batch, need a heat map.
0 applies the head to nothing.
"""

import math

import numpy as np
import tensorflow as tf

from convert.contract import Contract
from convert.keras_file import (
    Layer,
    Model,
    call_model,
    calling,
    find_output_layer,
    flatten_layers,
    kind_of,
    to_numpy,
    without_activation,
)

INPUT = "heatmaps"
OUTPUT = "heatmap"
# The log-odds of 95 %.
SURE = math.log(0.95 / 0.05)


def find_poolings(model: Model) -> list[Layer]:
    """Return the GlobalAveragePooling2D layers of ``model`` and of the models it contains."""
    return [layer for layer in flatten_layers(model) if kind_of(layer) == "GlobalAveragePooling2D"]


def keras_heatmap(
    model: Model, contract: Contract, input_range: str, images: np.ndarray, rows: int, columns: int
) -> np.ndarray:
    """Return the heat map that Keras computes: (N, rows, columns) or (N, rows, columns, classes).

    The same layers run, but the one pooling returns its cells, and the last activation does nothing. So it does not
    depend on what ``add_heatmap`` does to a graph.
    """
    (pooling,) = find_poolings(model)
    with calling(pooling, _take_cells):
        if contract.appended:
            logits = call_model(model, contract, input_range, images, as_logits=True)
        else:
            with without_activation(find_output_layer(model, contract.output)):
                logits = call_model(model, contract, input_range, images)
    evidence = to_numpy(logits).astype(np.float64).reshape(len(images), rows, columns, -1)
    return scale_evidence(evidence, independent=contract.independent)


def _take_cells(features: tf.Tensor, **_named: object) -> tf.Tensor:
    """Return each cell of (N, rows, columns, C) as a vector: (N * rows * columns, C)."""
    return tf.reshape(features, (-1, features.shape[-1]))


def scale_evidence(logits: np.ndarray, *, independent: bool = False) -> np.ndarray:
    """Return the map of logits (N, rows, columns, classes); with one class, without that last dimension."""
    if logits.shape[-1] == 1:
        evidence = logits[..., 0]
    elif independent:
        evidence = logits
    else:
        second, best = np.moveaxis(np.sort(logits, axis=-1)[..., -2:], -1, 0)
        evidence = logits - np.where(logits == best[..., None], second[..., None], best[..., None])
    largest = evidence.max(axis=(1, 2), keepdims=True)
    return np.maximum(evidence, 0) / np.maximum(largest, SURE)
