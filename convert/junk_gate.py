"""The test that a model must pass before it is written: nothing that is drawn in junk.py looks like its class."""

import sys
from dataclasses import dataclass

import numpy as np

import junk
from contract import Contract
from onnx_network import OnnxNetwork

PICTURES = 1000
BATCH = 20


@dataclass(frozen=True)
class JunkResult:
    """How a model takes junk.

    A picture's score is P(positive), or the highest probability where there are several labels. ``failures`` counts
    the pictures above the threshold by their kind; without a threshold none fails.
    """

    pictures: int
    seed: int
    mean: float
    maximum: float
    failures: dict[str, int]

    @property
    def failed(self) -> int:
        """How many pictures are above the threshold."""
        return sum(self.failures.values())


def score_junk(network: OnnxNetwork, contract: Contract, threshold: float | None) -> JunkResult:
    """Score ``PICTURES`` pictures of junk; with a terminal, a line shows how far it is."""
    count = PICTURES
    scores = np.empty(0, np.float32)
    for batch in junk.batches(count, junk.TEST_SEED, contract.width, contract.height, BATCH):
        scores = np.concatenate([scores, network.scores(batch).max(axis=1)])
        if sys.stdout.isatty():
            print(
                f"\r      {len(scores)} of {count} pictures", end="" if len(scores) < count else "\r\x1b[K", flush=True
            )
    failures: dict[str, int] = {}
    for index in np.flatnonzero(scores > threshold) if threshold is not None else ():
        kind = junk.kind_of(int(index))
        failures[kind] = failures.get(kind, 0) + 1
    ordered = dict(sorted(failures.items(), key=lambda item: (-item[1], item[0])))
    return JunkResult(count, junk.TEST_SEED, float(scores.mean()), float(scores.max()), ordered)
