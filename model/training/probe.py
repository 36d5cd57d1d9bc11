"""A linear probe: the score layer as a regression on the features, before any other layer learns.

Fine-tuning from a fitted head distorts the pretrained features less, which helps on photos of unseen sources (Kumar et
al. 2022, https://arxiv.org/abs/2202.10054).
"""

from dataclasses import dataclass

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

from model.training.distillation import Lessons
from model.training.lite_network import SCORE, read_features


@dataclass(frozen=True)
class Probe:
    """The inverse strength of the regularisation, for features divided by their standard deviations."""

    strength: float


def fit_score(model: keras.Model, lessons: Lessons, probe: Probe) -> None:
    """Set the score layer of ``model`` to a logistic regression on its features of all views of ``lessons``.

    Each view counts by its share of a batch; a target of 0.9 counts as nine tenths positive and one tenth negative.
    """
    features = read_features(model, lessons.pixels)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled = (features - mean) / spread
    weights = lessons.share * len(lessons.share)
    positive, negative = weights * lessons.score, weights * (1 - lessons.score)
    found = LogisticRegression(C=probe.strength, max_iter=500).fit(
        np.concatenate([scaled, scaled]),
        np.repeat([1, 0], len(scaled)),
        sample_weight=np.concatenate([positive, negative]),
    )
    kernel = found.coef_[0] / spread
    bias = found.intercept_[0] - mean @ kernel
    model.get_layer(SCORE).set_weights([kernel[:, None].astype(np.float32), np.array([bias], np.float32)])
