"""The teacher: a larger EfficientNet-Lite with ImageNet's weights, on larger inputs."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from model.training import efficientnet_lite as lite
from model.training.photos import Views, read_views, to_input

BATCH = 64


def build_embedder(variant: str, size: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from (V, size, size, 3) uint8 views to the teacher's embeddings: (V, 1280) float32.

    Takes about 50 ms a view at 224 pixels on two cores.
    """
    inputs = keras.Input((size, size, 3))
    network = keras.Model(inputs, layers.GlobalAveragePooling2D()(lite.add_features(inputs, variant)))
    lite.load_imagenet(network, variant)
    return lambda views: network.predict(to_input(views), batch_size=BATCH, verbose=0)


def embed(paths: list[Path], views: Views, embedder: Callable[[np.ndarray], np.ndarray], size: int) -> np.ndarray:
    """Return the embedding of each view of ``paths``, in order: (V, 1280) float32."""
    embeddings: list[np.ndarray] = []
    waiting: list[np.ndarray] = []
    for batch in read_views(paths, views, size):
        waiting.append(batch)
        if sum(map(len, waiting)) >= BATCH:
            embeddings.append(embedder(np.concatenate(waiting)))
            waiting = []
    if waiting:
        embeddings.append(embedder(np.concatenate(waiting)))
    return np.concatenate(embeddings)


def imagenet_log_probabilities(embeddings: np.ndarray, variant: str) -> np.ndarray:
    """Return the log-probabilities (natural) of ImageNet's own classifier: (V, 1000) float32."""
    weights = lite.read_weights(variant)
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

    Half of it are ImageNet's log-odds of ``classes``, which hold for photos of any source; the other half is a logistic
    regression on the embedding, which knows these look-alikes. The regression that judges a view has not seen its
    photo, whose index is in ``photo`` (V,).
    """
    known = lite.log_odds(log_probabilities, classes)
    learnt = np.empty(len(labels), np.float64)
    for part in _draw_folds(photo, seed):
        regression = _build_regression().fit(embeddings[~part], labels[~part])
        learnt[part] = regression.decision_function(embeddings[part])
    both = np.stack([learnt / learnt.std() + known / known.std()], axis=1)
    return LogisticRegression(class_weight="balanced").fit(both, labels).predict_proba(both)[:, 1].astype(np.float32)


def _build_regression() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, class_weight="balanced", max_iter=300))


def _draw_folds(photo: np.ndarray, seed: int, count: int = 4) -> list[np.ndarray]:
    fold = np.random.default_rng(seed).integers(0, count, photo.max() + 1)[photo]
    return [fold == which for which in np.unique(fold)]
