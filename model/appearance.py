"""Random changes of how a photo looks, of the kinds that cameras, messengers and web pages make."""

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

MARGIN = 0.05


def change(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return ``pixels`` (H, W, 3) uint8 seen through light, lens, cable and file: same shape and dtype.

    Framing moves by up to ``MARGIN`` of each side; light, contrast, saturation and tint vary; some are blurred, noisy,
    grey, or saved as a poor JPEG.
    """
    image = _reframed(Image.fromarray(pixels), random)
    for enhance, spread in ((ImageEnhance.Brightness, 0.35), (ImageEnhance.Contrast, 0.3), (ImageEnhance.Color, 0.4)):
        image = enhance(image).enhance(random.uniform(1 - spread, 1 + spread))
    if random.random() < 0.04:
        image = image.convert("L").convert("RGB")
    if random.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.5)))
    changed = np.asarray(image, np.float32) * random.uniform(0.92, 1.08, 3)
    if random.random() < 0.2:
        changed += random.normal(0, random.uniform(2, 12), changed.shape)
    changed = changed.clip(0, 255).astype(np.uint8)
    return _as_jpeg(changed, int(random.integers(30, 96))) if random.random() < 0.4 else changed


def _reframed(image: Image.Image, random: np.random.Generator) -> Image.Image:
    width, height = image.size
    left, top, right, bottom = random.uniform(0, MARGIN, 4)
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def _as_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.asarray(image)
