"""The network that is learnt from: a larger EfficientNet-Lite with ImageNet's weights, looking at larger pictures."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import efficientnet_lite as lite
from photo import to_input
from views import Views, read_views

BATCH = 64


def look(paths: list[Path], views: Views, variant: str, size: int, progress: bool = False) -> np.ndarray:
    """Return what the teacher makes of each view at ``size`` pixels a side: (V, 1280) float32.

    Takes about 50 ms a view at 224 pixels on two cores.
    """
    inputs = keras.Input((size, size, 3))
    network = keras.Model(inputs, layers.GlobalAveragePooling2D()(lite.features(inputs, variant)))
    lite.load_imagenet(network, variant)
    embed = tf.function(lambda batch: network(batch, training=False), reduce_retracing=True)

    total = int(views.counts.sum())
    embeddings = np.empty((total, lite.HEAD), np.float32)
    bar = keras.utils.Progbar(total, verbose=1 if progress else 0, unit_name="view")
    waiting: list[np.ndarray] = []
    read = embedded = 0
    for seen in read_views(paths, views, size):
        waiting.append(seen)
        read += len(seen)
        if read - embedded >= BATCH or read == total:
            embeddings[embedded:read] = embed(to_input(np.concatenate(waiting))).numpy()
            embedded, waiting = read, []
            bar.update(read)
    return embeddings


def imagenet_log_probabilities(embeddings: np.ndarray, variant: str) -> np.ndarray:
    """Return what ImageNet's own classifier says: (V, 1000) float32, natural logarithms of probabilities."""
    weights = lite.weights(variant)
    return log_softmax(embeddings @ weights["_fc.weight"].T + weights["_fc.bias"], axis=1)


def judge(
    embeddings: np.ndarray,
    log_probabilities: np.ndarray,
    labels: np.ndarray,
    photo: np.ndarray,
    classes: list[int],
    seed: int,
) -> np.ndarray:
    """Return the teacher's P(positive) of each view: (V,) float32.

    Half of it is what ImageNet knew already, its log-odds of ``classes``, which holds for photos of any source; half a
    logistic regression on the embedding, which knows these look-alikes. Each view is judged by a regression that has
    not seen its photo (``photo`` (V,) says which that is).
    """
    known = lite.log_odds(log_probabilities, classes)
    learnt = np.empty(len(labels), np.float64)
    for part in _folds(photo, seed):
        regression = _regression().fit(embeddings[~part], labels[~part])
        learnt[part] = regression.decision_function(embeddings[part])
    both = np.stack([learnt / learnt.std() + known / known.std()], axis=1)
    return LogisticRegression(class_weight="balanced").fit(both, labels).predict_proba(both)[:, 1].astype(np.float32)


def _regression() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, class_weight="balanced", max_iter=300))


def _folds(photo: np.ndarray, seed: int, count: int = 4) -> list[np.ndarray]:
    fold = np.random.default_rng(seed).integers(0, count, photo.max() + 1)[photo]
    return [fold == which for which in np.unique(fold)]
