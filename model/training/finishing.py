"""From the trained network to the served one: what it learnt, what ImageNet knew, and calibration."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers
from scipy.special import logsumexp
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from model.training import efficientnet_lite as lite
from model.training.dataset import Split
from model.training.distillation import Lessons
from model.training.lite_network import IMAGENET, SCORE
from model.training.photos import to_input
from model.training.recipe import Recipe

SPREAD_OVER = 2048
"""Views: enough for the spread of a logit and the mean of ImageNet's classes."""
PIVOT = -20.0
"""The logit of a class that nothing belongs to: its log-probability gives the sum of all others."""


@dataclass(frozen=True)
class Responses:
    """The responses of the trained network to N images."""

    features: np.ndarray
    """(N, 1280): the input of its last layers."""
    score: np.ndarray
    """(N,): the logits it learnt for the positive class."""
    imagenet: np.ndarray
    """(N, 1000): the logits of ImageNet's classes."""

    def log_odds(self, classes: list[int]) -> np.ndarray:
        """Return ImageNet's log-odds of ``classes`` together against all others: (N,)."""
        return lite.log_odds(self.imagenet, classes)


@dataclass(frozen=True)
class Rows:
    """A part of a classifier: (1280, K) kernel and (K,) bias."""

    kernel: np.ndarray
    bias: np.ndarray


def finish(
    model: keras.Model, lessons: Lessons, validation: Split, recipe: Recipe
) -> tuple[keras.Model, dict[str, float]]:
    """Return the network to serve, and its calibration on ``validation``.

    What it learnt has weight 1 and what ImageNet knew the recipe's, after each is divided by its spread over views of
    ``lessons``.
    """
    classes, knowledge = recipe.teacher.classes, recipe.knowledge
    responses = respond(model, lessons.pixels[:: max(1, len(lessons.pixels) // SPREAD_OVER)])
    rows = summarise_others(model, responses, classes, knowledge.keep, knowledge.clusters, recipe.plan.seed)
    weights = np.array([1 / responses.score.std(), knowledge.weight / responses.log_odds(classes).std()])

    raw = build_served(model, classes, rows, tuple(weights), 0.0)
    scores = raw.predict(to_input(validation.pixels), batch_size=64, verbose=0)[:, 0].astype(np.float64)
    gain, offset = calibrate(np.log(scores / (1 - scores)), validation.labels, recipe.prior)
    learnt, imagenet = gain * weights
    calibration = {"learnt": float(learnt), "imagenet": float(imagenet), "offset": offset, "prior": recipe.prior}
    return build_served(model, classes, rows, (learnt, imagenet), offset), calibration


def respond(model: keras.Model, pixels: np.ndarray) -> Responses:
    """Return the responses of ``model``, as lite_network builds it, to ``pixels`` (N, size, size, 3) uint8."""
    outputs = [model.get_layer(name).output for name in ("pooling", SCORE, IMAGENET)]
    inside = keras.Model(model.inputs, outputs)
    features, score, imagenet = inside.predict(to_input(pixels), batch_size=64, verbose=0)
    return Responses(features, score[:, 0].astype(np.float64), imagenet.astype(np.float64))


def summarise_others(
    model: keras.Model, responses: Responses, classes: list[int], keep: int, clusters: int, seed: int
) -> Rows:
    """Return rows whose log-sum-exp approximates that of all of ImageNet's classes except ``classes``.

    Keeps the ``keep`` classes with the highest probability in ``responses``. Clusters the rest; each cluster shares a
    row, with the bias that makes its mean over the responses exact.
    """
    kernel, bias = model.get_layer(IMAGENET).get_weights()
    likely = np.exp(responses.imagenet - logsumexp(responses.imagenet, axis=1, keepdims=True)).mean(axis=0)
    order = np.array([place for place in np.argsort(-likely) if place not in classes])
    kept, rest = order[:keep], order[keep:]
    group = KMeans(clusters, n_init=3, random_state=seed).fit(kernel.T[rest]).labels_
    kernels, biases = [kernel[:, kept]], [bias[kept]]
    for which in range(clusters):
        members = rest[group == which]
        row = kernel[:, members].mean(axis=1)
        together = logsumexp(responses.imagenet[:, members], axis=1)
        kernels.append(row[:, None])
        biases.append([(together - responses.features @ row).mean()])
    return Rows(np.concatenate(kernels, axis=1), np.concatenate(biases))


def build_served(
    model: keras.Model, classes: list[int], rows: Rows, weights: tuple[float, float], offset: float
) -> keras.Model:
    """Return the network to serve: (N, size, size, 3) to (N, 1) P(positive).

    P = sigmoid(weights[0] * learnt + weights[1] * known + offset), where ``learnt`` is the logit of the score layer and
    ``known`` the ImageNet log-odds of ``classes`` against ``rows``. Each log-sum-exp is read off the log-softmax of its
    logits and a negligible extra one, so that Keras's own layers suffice.
    """
    kernel, bias = model.get_layer(IMAGENET).get_weights()
    features = model.get_layer("pooling").output
    learnt = layers.Dense(1, name="learnt")
    positive = layers.Dense(len(classes) + 1, activation="log_softmax", name="imagenet_positive")
    other = layers.Dense(rows.kernel.shape[1] + 1, activation="log_softmax", name="imagenet_others")
    score = layers.Dense(1, activation="sigmoid", name=SCORE)
    joined = layers.Concatenate(name="evidence")([learnt(features), positive(features), other(features)])
    network = keras.Model(model.inputs, score(joined), name=model.name)

    learnt.set_weights(model.get_layer(SCORE).get_weights())
    positive.set_weights(_add_pivot(Rows(kernel[:, classes], bias[classes])))
    other.set_weights(_add_pivot(rows))
    mixture = np.zeros((joined.shape[-1], 1), np.float32)
    mixture[0] = weights[0]
    mixture[1 + len(classes)] = -weights[1]
    mixture[-1] = weights[1]
    score.set_weights([mixture, np.array([offset], np.float32)])
    return network


def _add_pivot(rows: Rows) -> list[np.ndarray]:
    return [np.pad(rows.kernel, ((0, 0), (0, 1))), np.append(rows.bias, PIVOT)]


def calibrate(logits: np.ndarray, labels: np.ndarray, prior: float) -> tuple[float, float]:
    """Return (gain, offset) of P = sigmoid(gain * logit + offset), for a share ``prior`` of positives.

    Platt scaling (Platt 1999): a logistic regression on the logit alone, with each class weighted to its share.
    """
    share = labels.mean()
    weights = np.where(labels == 1, prior / share, (1 - prior) / (1 - share))
    found = LogisticRegression(C=1e6).fit(logits[:, None], labels, sample_weight=weights)
    return float(found.coef_[0, 0]), float(found.intercept_[0])
