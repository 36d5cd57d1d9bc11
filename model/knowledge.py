"""What ImageNet's classifier knows of the positive class, in few enough rows to be served."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers
from scipy.special import logsumexp
from sklearn.cluster import KMeans

import efficientnet_lite as lite
from lite_network import IMAGENET, SCORE
from photo import to_input

PIVOT = -20.0
"""The logit of a class that nothing belongs to: its log-probability tells the sum of all others."""


@dataclass(frozen=True)
class Hidden:
    """What the network to train makes of some pictures."""

    features: np.ndarray
    """(N, 1280), what its last layers see."""
    score: np.ndarray
    """(N,) logits of the positive class, as learnt."""
    imagenet: np.ndarray
    """(N, 1000) logits of ImageNet's classes."""

    def known(self, classes: list[int]) -> np.ndarray:
        """Return ImageNet's log-odds of ``classes`` together against all others: (N,)."""
        return lite.log_odds(self.imagenet, classes)


@dataclass(frozen=True)
class Rows:
    """A part of a classifier: (1280, K) kernel and (K,) bias."""

    kernel: np.ndarray
    bias: np.ndarray


def hidden(model: keras.Model, pixels: np.ndarray) -> Hidden:
    """Return what ``model`` (as lite_network builds it) makes of ``pixels`` (N, size, size, 3) uint8."""
    outputs = [model.get_layer(name).output for name in ("head_relu6", SCORE, IMAGENET)]
    inside = keras.Model(model.inputs, outputs)
    features, score, imagenet = inside.predict(to_input(pixels), batch_size=64, verbose=0)
    return Hidden(features, score[:, 0].astype(np.float64), imagenet.astype(np.float64))


def others(model: keras.Model, seen: Hidden, classes: list[int], keep: int, clusters: int, seed: int) -> Rows:
    """Return rows whose log-sum-exp is nearly that of all of ImageNet's classes but ``classes``.

    The ``keep`` classes that are likeliest on the pictures ``seen`` stay as they are; of the rest, like ones share a
    row, with the bias that makes its mean over these pictures right.
    """
    kernel, bias = model.get_layer(IMAGENET).get_weights()
    likely = np.exp(seen.imagenet - logsumexp(seen.imagenet, axis=1, keepdims=True)).mean(axis=0)
    order = np.array([place for place in np.argsort(-likely) if place not in classes])
    kept, rest = order[:keep], order[keep:]
    group = KMeans(clusters, n_init=3, random_state=seed).fit(kernel.T[rest]).labels_
    kernels, biases = [kernel[:, kept]], [bias[kept]]
    for which in range(clusters):
        members = rest[group == which]
        row = kernel[:, members].mean(axis=1)
        together = logsumexp(seen.imagenet[:, members], axis=1)
        kernels.append(row[:, None])
        biases.append([(together - seen.features @ row).mean()])
    return Rows(np.concatenate(kernels, axis=1), np.concatenate(biases))


def served(
    model: keras.Model, classes: list[int], rows: Rows, weights: tuple[float, float], offset: float
) -> keras.Model:
    """Return the network to serve: (N, size, size, 3) to (N, 1) P(positive).

    P = sigmoid(weights[0] * learnt + weights[1] * known + offset), where ``learnt`` is the logit of the score's own
    layer and ``known`` are ImageNet's log-odds of ``classes`` against ``rows``. Each log-sum-exp is read off the
    log-softmax of its logits and one more that hardly counts, so that only Keras's own layers are needed.
    """
    kernel, bias = model.get_layer(IMAGENET).get_weights()
    features = model.get_layer("head_relu6").output
    learnt = layers.Dense(1, name="learnt")
    positive = layers.Dense(len(classes) + 1, activation="log_softmax", name="imagenet_positive")
    other = layers.Dense(rows.kernel.shape[1] + 1, activation="log_softmax", name="imagenet_others")
    score = layers.Dense(1, activation="sigmoid", name=SCORE)
    joined = layers.Concatenate(name="evidence")([learnt(features), positive(features), other(features)])
    network = keras.Model(model.inputs, score(joined), name=model.name)

    learnt.set_weights(model.get_layer(SCORE).get_weights())
    positive.set_weights(_with_pivot(Rows(kernel[:, classes], bias[classes])))
    other.set_weights(_with_pivot(rows))
    mixture = np.zeros((joined.shape[-1], 1), np.float32)
    mixture[0] = weights[0]
    mixture[1 + len(classes)] = -weights[1]
    mixture[-1] = weights[1]
    score.set_weights([mixture, np.array([offset], np.float32)])
    return network


def _with_pivot(rows: Rows) -> list[np.ndarray]:
    return [np.pad(rows.kernel, ((0, 0), (0, 1))), np.append(rows.bias, PIVOT)]
