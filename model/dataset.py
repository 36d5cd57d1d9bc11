"""A folder of photos, ``training|validation/{husky,nothusky}``, as balanced batches."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from augment import apply_maps, draw_maps
from photo import read_photo, to_input

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp"}


class DataError(Exception):
    """The data folder is not one that can be trained on; the message says why."""


@dataclass(frozen=True)
class Photos:
    """The files of one split, sorted by name, the positives first; (N,) float32 labels, 1 where positive."""

    paths: list[Path]
    labels: np.ndarray

    def counts(self) -> tuple[int, int]:
        """Return how many photos are (positive, negative)."""
        positive = int(self.labels.sum())
        return positive, len(self.labels) - positive


@dataclass(frozen=True)
class Split(Photos):
    """Decoded photos of one split: (N, size, size, 3) uint8."""

    pixels: np.ndarray


def class_names(data: Path) -> tuple[str, str]:
    """Return the (positive, negative) class names: the two folders under ``training``, the negative begins with "not".

    Raises ``DataError`` where there are not exactly two such folders, the same in ``validation``.
    """
    found = {}
    for split in ("training", "validation"):
        if not (data / split).is_dir():
            raise DataError(f"no folder '{split}' in the data folder")
        found[split] = sorted(entry.name for entry in (data / split).iterdir() if entry.is_dir())
    names = found["training"]
    negative = [name for name in names if name.startswith("not")]
    if len(names) != 2 or len(negative) != 1:
        raise DataError(f"training needs two class folders such as husky and nothusky, found: {', '.join(names)}")
    if found["validation"] != names:
        raise DataError("training and validation have different class folders")
    positive = next(name for name in names if name not in negative)
    return positive, negative[0]


def find_photos(data: Path, split: str, names: tuple[str, str]) -> Photos:
    """Return the photos of one split. Raises ``DataError`` for a class without any."""
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in ((1, names[0]), (0, names[1])):
        found = sorted(path for path in (data / split / name).iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise DataError(f"no photos in {split}/{name}")
        paths += found
        labels += [label] * len(found)
    return Photos(paths, np.array(labels, np.float32))


def load_split(data: Path, split: str, names: tuple[str, str], size: int, progress: bool = False) -> Split:
    """Decode one split into memory (49 KB a photo at 128 pixels).

    Raises ``DataError`` for a class without photos or a photo that cannot be read.
    """
    photos = find_photos(data, split, names)
    pixels = np.empty((len(photos.paths), size, size, 3), np.uint8)
    bar = keras.utils.Progbar(len(photos.paths), verbose=1 if progress else 0, unit_name="photo")
    for index, path in enumerate(photos.paths):
        try:
            pixels[index] = read_photo(path, size, size)
        except OSError as error:
            raise DataError(f"cannot read {split}/{path.parent.name}/{path.name}: {error}") from error
        bar.update(index + 1)
    return Split(photos.paths, photos.labels, pixels)


class Deck:
    """Draws from a set without replacement; when it is used up it is shuffled again."""

    def __init__(self, members: np.ndarray, random: np.random.Generator) -> None:
        self._members = members
        self._random = random
        self._rest = np.empty(0, members.dtype)

    def draw(self, count: int) -> np.ndarray:
        """Return the next ``count`` members."""
        while len(self._rest) < count:
            self._rest = np.concatenate([self._rest, self._random.permutation(self._members)])
        drawn, self._rest = self._rest[:count], self._rest[count:]
        return drawn


class BalancedBatches(keras.utils.PyDataset):
    """Batches of augmented photos, as many positive as negative in each epoch; what it draws depends on the seed only.

    Both classes are dealt from a deck that outlasts the epoch, so the small class repeats (each time as another view)
    while the large one is seen whole, over several epochs, before any of its photos comes again.
    """

    def __init__(self, split: Split, batch_size: int, epoch_size: int, seed: int) -> None:
        super().__init__()
        self._split = split
        self._batch_size = batch_size
        self._half = max(1, epoch_size // 2)
        self._random = np.random.default_rng(seed)
        self._positive = Deck(np.flatnonzero(split.labels == 1), self._random)
        self._negative = Deck(np.flatnonzero(split.labels == 0), self._random)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-2 * self._half // self._batch_size)

    def on_epoch_end(self) -> None:
        """Deal the photos and the views of the next epoch."""
        drawn = np.concatenate([self._positive.draw(self._half), self._negative.draw(self._half)])
        self.order = self._random.permutation(drawn)
        self.maps = draw_maps(self._random, len(self.order), self._split.pixels.shape[1])

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return batch ``index``: (B, size, size, 3) float32 in [0, 1] and (B, 1) labels."""
        part = slice(index * self._batch_size, (index + 1) * self._batch_size)
        chosen = self.order[part]
        views = apply_maps(self._split.pixels[chosen], self.maps[part])
        return to_input(views), self._split.labels[chosen, None]
