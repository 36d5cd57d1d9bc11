"""A folder of photos, ``training|validation/{husky,nothusky}``, and groups of them by file name."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import keras
import numpy as np

from model.training.photos import read_photo

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp"}
REST = "others"


class DataError(Exception):
    """The data folder is unsuitable for training; the message says why."""


@dataclass(frozen=True)
class Photos:
    """The files of one split, sorted by name, positives first; (N,) float32 labels, 1 for positive."""

    paths: list[Path]
    labels: np.ndarray

    def counts(self) -> tuple[int, int]:
        """Return the numbers of (positive, negative) photos."""
        positive = int(self.labels.sum())
        return positive, len(self.labels) - positive


@dataclass(frozen=True)
class Split(Photos):
    """The decoded photos of one split: (N, size, size, 3) uint8."""

    pixels: np.ndarray

    def select(self, chosen: np.ndarray) -> "Split":
        """Return the photos that ``chosen`` (N,) bool marks."""
        paths = [path for path, own in zip(self.paths, chosen, strict=True) if own]
        return Split(paths, self.labels[chosen], self.pixels[chosen])


def class_names(data: Path) -> tuple[str, str]:
    """Return the (positive, negative) class names: the two folders in ``training``; the negative begins with "not".

    Raises ``DataError`` unless ``training`` has exactly two such folders and ``validation`` the same.
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
    """Return the photos of one split. Raises ``DataError`` for a class without photos."""
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


def find_group(path: Path, groups: dict[str, list[str]]) -> str:
    """Return the first group with a pattern (``malamute__*``) that matches the file name, or ``REST``."""
    for group, patterns in groups.items():
        if any(fnmatchcase(path.name, pattern) for pattern in patterns):
            return group
    return REST
