"""A linear probe: the score layer as a regression on the features, before any other layer learns.

Fine-tuning from a fitted head distorts the pretrained features less, which helps on photos of unseen sources (Kumar et
al. 2022, https://arxiv.org/abs/2202.10054).
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from model.training import efficientnet_lite as lite
from model.training.distillation import Lessons
from model.training.lite_network import SCORE, VARIANT
from model.training.parts import compute_in_parts
from model.training.photos import to_input

PART = 2048


@dataclass(frozen=True)
class Probe:
    """The inverse strength of the regularisation, for features divided by their standard deviations."""

    strength: float


def read_features(model: keras.Model, pixels: np.ndarray, kept: Path) -> np.ndarray:
    """Return the features (N, 1280) that ``model`` gives for ``pixels`` (N, size, size, 3) uint8, kept in ``kept``."""
    network = keras.Model(model.inputs, model.get_layer("pooling").output)
    found = compute_in_parts(
        kept, len(pixels), PART, lambda chosen: network.predict(to_input(pixels[chosen]), batch_size=64, verbose=0)
    )
    return found.astype(np.float32)


def imagenet_probabilities(features: np.ndarray) -> np.ndarray:
    """Return what ImageNet's own classifier makes of ``features``: (N, 1000) float16.

    As targets they keep a network from forgetting it (Li and Hoiem 2016, https://arxiv.org/abs/1606.09282).
    """
    weights = lite.read_weights(VARIANT)
    return softmax(features @ weights["_fc.weight"].T + weights["_fc.bias"], axis=1).astype(np.float16)


def fit_score(model: keras.Model, features: np.ndarray, lessons: Lessons, probe: Probe) -> None:
    """Set the score layer of ``model`` to a logistic regression on its ``features`` of the views of ``lessons``.

    Each view counts by its share of a batch; a target of 0.9 counts as nine tenths positive and one tenth negative.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled = (features - mean) / spread
    weights = lessons.share * len(lessons.share)
    positive, negative = weights * lessons.score, weights * (1 - lessons.score)
    places = np.concatenate([np.flatnonzero(positive), np.flatnonzero(negative)])
    labels = np.repeat([1, 0], [np.count_nonzero(positive), np.count_nonzero(negative)])
    counts = np.concatenate([positive[positive > 0], negative[negative > 0]])
    found = LogisticRegression(C=probe.strength, max_iter=500).fit(scaled[places], labels, sample_weight=counts)
    kernel = found.coef_[0] / spread
    bias = found.intercept_[0] - mean @ kernel
    model.get_layer(SCORE).set_weights([kernel[:, None].astype(np.float32), np.array([bias], np.float32)])
