"""Runs the blocks that do not learn once for each view, so that an epoch computes only those that do."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from model.training.augmentation import change_appearance
from model.training.lite_network import IMAGENET, SCORE
from model.training.parts import compute_in_parts
from model.training.photos import to_input

PART = 512
BATCH = 64


@dataclass(frozen=True)
class Parts:
    """A network in two parts that share its layers."""

    frozen: keras.Model
    """From its input to the input of the first block that learns."""
    learner: keras.Model
    """From there to both outputs."""
    features: keras.Model
    """From there to the features, which the last layers get."""


def split_network(model: keras.Model, block: int) -> Parts:
    """Return the parts of ``model`` before and from ``block``."""
    boundary = model.get_layer(f"block_{block}_expand").input
    outputs = {name: model.get_layer(name).output for name in (SCORE, IMAGENET)}
    return Parts(
        keras.Model(model.inputs, boundary),
        keras.Model(boundary, outputs),
        keras.Model(boundary, model.get_layer("head_relu6").output),
    )


def run_frozen(frozen: keras.Model, pixels: np.ndarray, copies: int, seed: int, kept: Path) -> np.ndarray:
    """Return the outputs of ``frozen`` for ``copies`` of each of N views, float16: copy c of view n is at c N + n.

    Each copy has another appearance, which only the seed decides; the first has its own. The result is kept in the file
    ``kept``, and an interrupted call continues.
    """
    count = len(pixels)

    def compute(chosen: slice) -> np.ndarray:
        views = [
            _draw(pixels[place % count], place, place // count, seed) for place in range(chosen.start, chosen.stop)
        ]
        return frozen.predict(to_input(np.stack(views)), batch_size=BATCH, verbose=0)

    return compute_in_parts(kept, count * copies, PART, compute)


def _draw(view: np.ndarray, place: int, copy: int, seed: int) -> np.ndarray:
    return change_appearance(view, np.random.default_rng([seed, place])) if copy else view
