"""Fixed views of photos: the whole of each, and random cuts that keep most of it, some of them mirrored."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

LEAST_AREA = 0.4
"""A smaller cut too often loses the animal."""
ASPECT = 4 / 3
AHEAD = 128


@dataclass(frozen=True)
class Views:
    """Views of N photos, up to K of each; view 0 is the whole, upright photo."""

    boxes: np.ndarray
    """(N, K, 4): left, top, right, bottom in shares of the photo's sides."""
    mirrored: np.ndarray
    """(N, K) bool"""
    counts: np.ndarray
    """(N,): how many of the K are used."""

    @property
    def photo(self) -> np.ndarray:
        """Return for each view that is used, in order, which photo it is of."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def draw_views(counts: np.ndarray, seed: int) -> Views:
    """Return ``counts`` views of each photo: areas from ``LEAST_AREA`` to 1, sides stretched by up to ``ASPECT``."""
    random = np.random.default_rng(seed)
    shape = (len(counts), int(counts.max()))
    area = random.uniform(LEAST_AREA, 1, shape)
    stretch = np.exp(random.uniform(-np.log(ASPECT), np.log(ASPECT), shape))
    width = np.minimum(1, np.sqrt(area * stretch))
    height = np.minimum(1, np.sqrt(area / stretch))
    left = random.uniform(0, 1, shape) * (1 - width)
    top = random.uniform(0, 1, shape) * (1 - height)
    boxes = np.stack([left, top, left + width, top + height], axis=-1)
    mirrored = random.random(shape) < 0.5
    boxes[:, 0] = 0, 0, 1, 1
    mirrored[:, 0] = False
    return Views(boxes, mirrored, counts)


def read_views(paths: list[Path], views: Views, size: int) -> Iterator[np.ndarray]:
    """Yield for each photo, in order, its views: (views, size, size, 3) uint8 RGB.

    Each view is squeezed straight to a square, as the Worker does with a photo (bicubic). Raises ``OSError`` where
    Pillow cannot read a file.
    """
    with ThreadPoolExecutor(1) as pool:
        for start in range(0, len(paths), AHEAD):
            yield from pool.map(
                lambda place: _read(paths[place], views, place, size), range(start, min(start + AHEAD, len(paths)))
            )


def _read(path: Path, views: Views, place: int, size: int) -> np.ndarray:
    with Image.open(path) as image:
        photo = ImageOps.exif_transpose(image).convert("RGB")
    used = slice(0, views.counts[place])
    boxes = views.boxes[place, used] * np.array([*photo.size, *photo.size])
    mirrored = views.mirrored[place, used]
    return np.stack([_look(photo, *view, size) for view in zip(boxes, mirrored, strict=True)])


def _look(photo: Image.Image, box: np.ndarray, mirrored: bool, size: int) -> np.ndarray:
    seen = photo.resize((size, size), Image.Resampling.BICUBIC, box=tuple(box))
    return np.asarray(ImageOps.mirror(seen) if mirrored else seen)
