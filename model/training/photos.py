"""Photos as the network sees them: the same steps in training as in service, and fixed views for the teacher."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}
LEAST_AREA = 0.4
"""Smaller crops too often lose the animal."""
ASPECT = 4 / 3
AHEAD = 128


def read_photo(path: Path | str, width: int, height: int, resampling: str = "bicubic") -> np.ndarray:
    """Return the photo squeezed straight to (height, width, 3) uint8 RGB.

    Applies the EXIF orientation, drops alpha without blending, and takes the first frame of an animation. Raises
    ``OSError`` if Pillow cannot read the file.
    """
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        return np.asarray(upright.convert("RGB").resize((width, height), FILTERS[resampling]))


def to_input(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 ``pixels`` of any shape as the network's float32 in [0, 1]: byte / 255."""
    return pixels / np.float32(255)


@dataclass(frozen=True)
class Views:
    """Views of N photos, up to K of each; view 0 is the whole, upright photo."""

    boxes: np.ndarray
    """(N, K, 4): left, top, right, bottom as shares of the photo's sides."""
    mirrored: np.ndarray
    """(N, K) bool"""
    counts: np.ndarray
    """(N,): how many of the K are used."""

    @property
    def photo(self) -> np.ndarray:
        """The index of the photo of each used view, in order."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def select(self, photos: slice) -> "Views":
        """Return the views of some photos."""
        return Views(self.boxes[photos], self.mirrored[photos], self.counts[photos])


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
    """Yield the views of each photo, in order: (views, size, size, 3) uint8 RGB.

    Squeezes each view straight to a square (bicubic), as the Worker does with photos. Raises ``OSError`` if Pillow
    cannot read a file.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(paths), AHEAD):
            yield from pool.map(
                lambda place: _read_views_of(paths[place], views, place, size),
                range(start, min(start + AHEAD, len(paths))),
            )


def _read_views_of(path: Path, views: Views, place: int, size: int) -> np.ndarray:
    with Image.open(path) as image:
        photo = ImageOps.exif_transpose(image).convert("RGB")
    used = slice(0, views.counts[place])
    boxes = views.boxes[place, used] * np.array([*photo.size, *photo.size])
    mirrored = views.mirrored[place, used]
    return np.stack([_cut(photo, *view, size) for view in zip(boxes, mirrored, strict=True)])


def _cut(photo: Image.Image, box: np.ndarray, mirrored: bool, size: int) -> np.ndarray:
    view = photo.resize((size, size), Image.Resampling.BICUBIC, box=tuple(box))
    return np.asarray(ImageOps.mirror(view) if mirrored else view)
