"""Changes that photos undergo on the way to a classifier, and how far each moves the scores."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

# The mean score of the positive photos must move by less than this.
LIMIT = 0.05
CROP = 0.04


def _crop(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = image.size
    return image.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))


def _compress(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def _brighten(image: Image.Image, factor: float) -> Image.Image:
    return image.point(lambda value: min(255, round(value * factor)))


# Applied to an upright RGB photo before it is resized.
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "4 % cut off left and top": lambda image: _crop(image, CROP, CROP, 1, 1),
    "4 % cut off right and bottom": lambda image: _crop(image, 0, 0, 1 - CROP, 1 - CROP),
    "flipped": ImageOps.mirror,
    "JPEG at quality 50": lambda image: _compress(image, 50),
    "20 % darker": lambda image: _brighten(image, 0.8),
    "20 % brighter": lambda image: _brighten(image, 1.2),
}


@dataclass(frozen=True)
class Effect:
    """P(positive) after a change: the mean of each class, how far it moved, and the share of changed verdicts."""

    name: str
    positive_mean: float
    positive_change: float
    negative_mean: float
    negative_change: float
    verdicts_changed: float

    @property
    def within_limit(self) -> bool:
        """Whether the mean score of the positive photos moves by less than ``LIMIT``."""
        return abs(self.positive_change) < LIMIT


def measure_effect(name: str, before: np.ndarray, after: np.ndarray, positive: np.ndarray, threshold: float) -> Effect:
    """Return how the scores (N,) of the same photos moved."""
    change = after - before
    return Effect(
        name=name,
        positive_mean=float(after[positive].mean()),
        positive_change=float(change[positive].mean()),
        negative_mean=float(after[~positive].mean()),
        negative_change=float(change[~positive].mean()),
        verdicts_changed=float(((before > threshold) != (after > threshold)).mean()),
    )
