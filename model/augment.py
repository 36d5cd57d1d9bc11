"""Random views of a photo: the original's augmentation as one affine map for each photo.

The original used Keras's ``ImageDataGenerator`` (gone with Keras 2) with ``rotation_range=30``, ``shear_range=0.2``,
``zoom_range=0.2`` and ``horizontal_flip=True``. Its shear was read as degrees, which is next to nothing; here 0.2 is
the slope (about 11 degrees). As there, zoom is drawn for each axis apart and pixels from outside repeat the edge.
"""

import numpy as np
from keras import ops

ROTATION = np.deg2rad(30.0)
SHEAR = 0.2
ZOOM = 0.2


def draw_maps(random: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Return (count, 8) float32 affine maps from output to input pixels, about the centre of a ``size`` square.

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
    """Return (N, H, W, 3) pixels seen through ``maps``, float32 in the range of the input (bilinear, edge repeated)."""
    seen = ops.image.affine_transform(
        pixels.astype(np.float32), maps, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )
    return ops.convert_to_numpy(seen)
