"""The gate a binary model must pass before it is written: it calls none of the images of junk.py positive."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from convert import junk
from convert.contract import Contract
from convert.onnx_network import OnnxNetwork

PICTURES = 1000
BATCH = 20


@dataclass(frozen=True)
class JunkResult:
    """How a model scores junk images.

    An image's score is P(positive), or with several labels the highest probability. ``failures`` counts the images
    above the threshold by kind; only a binary model can fail.
    """

    pictures: int
    seed: int
    mean: float
    maximum: float
    failures: dict[str, int]

    @property
    def failed(self) -> int:
        """The number of images above the threshold."""
        return sum(self.failures.values())


def score_junk(
    network: OnnxNetwork, contract: Contract, threshold: float | None, is_shown: Callable[[], bool] = lambda: True
) -> JunkResult:
    """Score ``PICTURES`` junk images; a terminal shows the progress while ``is_shown``."""
    count = PICTURES
    scores = np.empty(0, np.float32)
    for batch in junk.draw_batches(count, junk.TEST_SEED, contract.width, contract.height, BATCH, contract.channels):
        scores = np.concatenate([scores, network.score(batch).max(axis=1)])
        if sys.stdout.isatty() and is_shown():
            print(f"\r      {len(scores)} of {count} images", end="" if len(scores) < count else "\r\x1b[K", flush=True)
    failures: dict[str, int] = {}
    for index in np.flatnonzero(scores > threshold) if threshold is not None and contract.size == 1 else ():
        kind = junk.kind_of(int(index))
        failures[kind] = failures.get(kind, 0) + 1
    ordered = dict(sorted(failures.items(), key=lambda item: (-item[1], item[0])))
    return JunkResult(count, junk.TEST_SEED, float(scores.mean()), float(scores.max()), ordered)
