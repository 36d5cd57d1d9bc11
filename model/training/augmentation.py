"""Random changes of training photos: appearance for the default network, geometry for the classic one."""

import io

import numpy as np
from keras import ops
from PIL import Image, ImageEnhance, ImageFilter

MARGIN = 0.05
ROTATION = np.deg2rad(30.0)
SHEAR = 0.2
ZOOM = 0.2


def change_appearance(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return ``pixels`` (H, W, 3) uint8 as a camera, a messenger or a web page may change them: same shape and dtype.

    The frame moves by up to ``MARGIN`` of each side; light, contrast, saturation and tint vary; some images become
    blurred, noisy, grey or a poor JPEG.
    """
    image = _reframe(Image.fromarray(pixels), random)
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
    return _compress(changed, int(random.integers(30, 96))) if random.random() < 0.4 else changed


def _reframe(image: Image.Image, random: np.random.Generator) -> Image.Image:
    width, height = image.size
    left, top, right, bottom = random.uniform(0, MARGIN, 4)
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def _compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.asarray(image)


def draw_maps(random: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Return (count, 8) float32 affine maps from output to input pixels, about the centre of a ``size`` square.

    They replace the original's ``ImageDataGenerator`` (removed from Keras 3) with ``rotation_range=30``,
    ``shear_range=0.2``, ``zoom_range=0.2`` and ``horizontal_flip=True``. It read the shear as degrees, which is next to
    nothing; here 0.2 is the slope (about 11 degrees). As there, each axis zooms independently.

    Row order is that of ``keras.ops.image.affine_transform``: x' = a0 x + a1 y + a2, y' = a3 x + a4 y + a5.
    """
    angle = random.uniform(-ROTATION, ROTATION, count)
    slope = random.uniform(-SHEAR, SHEAR, count)
    zoom = random.uniform(1 - ZOOM, 1 + ZOOM, (2, count))
    mirror = np.where(random.random(count) < 0.5, -1.0, 1.0)

    cos, sin = np.cos(angle), np.sin(angle)
    rotate = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    shear = np.tile(np.eye(2), (count, 1, 1))
    shear[:, 0, 1] = slope
    scale = np.zeros((count, 2, 2))
    scale[:, 0, 0], scale[:, 1, 1] = zoom[0] * mirror, zoom[1]
    linear = rotate @ shear @ scale

    centre = np.full(2, (size - 1) / 2)
    shift = centre - linear @ centre
    nothing = np.zeros((count, 2))
    return np.concatenate([linear[:, 0], shift[:, :1], linear[:, 1], shift[:, 1:], nothing], axis=1).astype(np.float32)


def apply_maps(pixels: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return ``pixels`` (N, H, W, 3) after ``maps``: float32 in the same range, bilinear, with repeated edges."""
    views = ops.image.affine_transform(
        pixels.astype(np.float32), maps, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )
    return ops.convert_to_numpy(views)
