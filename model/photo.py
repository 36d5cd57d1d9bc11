"""One photo from a file to the bytes the network sees: the same steps in training as in service."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}


def read_photo(path: Path | str, width: int, height: int, resampling: str = "bicubic") -> np.ndarray:
    """Return the photo as (height, width, 3) uint8 RGB, squeezed straight to that size.

    The EXIF orientation is honoured, alpha is dropped (not blended), the first frame of an animation is taken.
    Raises ``OSError`` where Pillow cannot read the file.
    """
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        return np.asarray(upright.convert("RGB").resize((width, height), FILTERS[resampling]))


def to_input(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 pixels of any shape as the network's float32 in [0, 1]: byte / 255."""
    return (pixels / 255.0).astype(np.float32)
