"""Validation photos from sources that no training photo comes from, and their two fixed halves.

The network is chosen and calibrated on one half; the other half is only reported.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.training.dataset import REST, Photos, find_group


@dataclass(frozen=True)
class Strangers:
    """Patterns of the names of photos from many ``websites``, and from ``collections`` of one source each."""

    websites: list[str]
    collections: dict[str, list[str]]


@dataclass(frozen=True)
class Halves:
    """Which of N validation photos belong to either half: (N,) bool. Photos of known sources belong to neither."""

    chosen: np.ndarray
    reported: np.ndarray

    @property
    def both(self) -> np.ndarray:
        """The photos of both halves: (N,) bool."""
        return self.chosen | self.reported


def split_strangers(photos: Photos, strangers: Strangers) -> Halves:
    """Return the halves of the strangers among ``photos``, with about equal numbers of positives and of all photos.

    A collection is in one half, and so is a website: the names number the photos of one website after another
    (``husky-web__012.jpg``), so those with consecutive numbers stay together. Without strangers of both classes, all
    photos are in both halves.
    """
    sites: dict[tuple[str, int], list[int]] = defaultdict(list)
    last, first = ("", 0), 0
    for place in sorted(range(len(photos.paths)), key=lambda place: _read_name(photos.paths[place])):
        path = photos.paths[place]
        collection = find_group(path, strangers.collections)
        if collection != REST:
            sites[collection, 0].append(place)
        elif find_group(path, {"websites": strangers.websites}) != REST:
            tag, number = _read_name(path)
            if last != (tag, number - 1):
                first = number
            last = tag, number
            sites[tag, first].append(place)

    if {photos.labels[place] for places in sites.values() for place in places} != {0, 1}:
        everything = np.ones(len(photos.paths), bool)
        return Halves(everything, everything)
    half = np.full(len(photos.paths), -1)
    totals = np.zeros((2, 2))
    content = {key: (float(photos.labels[places].sum()), float(len(places))) for key, places in sites.items()}
    for key in sorted(sites, key=lambda key: (-content[key][0], -content[key][1], key)):
        counted = 0 if content[key][0] > 0 else 1
        smaller = int(totals[1, counted] < totals[0, counted])
        half[sites[key]] = smaller
        totals[smaller] += content[key]
    return Halves(half == 0, half == 1)


def _read_name(path: Path) -> tuple[str, int]:
    """Return the tag and the number of a name such as ``husky-web__012.jpg``."""
    tag, _, rest = path.stem.partition("__")
    digits = re.sub(r"\D", "", rest)
    return tag, int(digits or 0)
