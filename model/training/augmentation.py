"""Random changes of training photos: appearance for the default network, geometry for the classic one."""

import keras
import numpy as np
from keras import layers, ops

MARGIN = 0.08
ROTATION = np.deg2rad(30.0)
SHEAR = 0.2
ZOOM = 0.2
LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
COSINES = np.array(
    [[np.sqrt((1 if u == 0 else 2) / 8) * np.cos((2 * x + 1) * u * np.pi / 16) for x in range(8)] for u in range(8)],
    np.float32,
)
"""The orthonormal cosine transform of 8 values."""
TO_YCC = np.array([[0.299, -0.168736, 0.5], [0.587, -0.331264, -0.418688], [0.114, 0.5, -0.081312]], np.float32)
"""From RGB, about 0, to luma and colour differences (JFIF), as columns."""


class Appearance(layers.Layer):
    """Changes photos in training as a camera, a messenger or a web page may: (N, H, W, 3) uint8 to float32 in [0, 1].

    The frame moves and shrinks by up to ``MARGIN`` of each side, half of the photos are mirrored, light, contrast,
    saturation and tint vary, and some photos become grey, blurred, noisy or a poor JPEG. Runs on whatever device the
    network runs on. Outside training it only scales.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(name="appearance", trainable=False)
        self._seed = seed
        self._seeds = keras.random.SeedGenerator(seed)

    def begin_epoch(self, epoch: int) -> None:
        """Make the changes of an epoch depend on its number only, so that a resumed training repeats them."""
        self._seeds.state.assign(np.array([self._seed, epoch << 16], self._seeds.state.dtype))

    def call(self, pixels: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return the changed ``pixels``."""
        photos = ops.cast(pixels, "float32") / 255
        if not training:
            return photos
        photos = self._reframe(photos)
        photos = photos * self._draw(photos, 0.65, 1.35)
        mean = ops.mean(_to_grey(photos), axis=(1, 2), keepdims=True)
        photos = mean + (photos - mean) * self._draw(photos, 0.7, 1.3)
        grey = _to_grey(photos)
        colour = self._draw(photos, 0.6, 1.4) * (1 - self._choose(photos, 0.04))
        photos = (grey + (photos - grey) * colour) * self._draw(photos, 0.92, 1.08, channels=3)
        photos = photos + (_blur(photos) - photos) * self._draw(photos, 0.3, 1) * self._choose(photos, 0.25)
        spread = self._draw(photos, 2 / 255, 12 / 255) * self._choose(photos, 0.2)
        photos = photos + keras.random.normal(ops.shape(photos), seed=self._seeds) * spread
        photos = ops.clip(photos, 0, 1)
        chosen = self._choose(photos, 0.4)
        return photos + (quantize_blocks(photos, self._draw(photos, 0.5, 5)) - photos) * chosen

    def _draw(self, photos: keras.KerasTensor, low: float, high: float, channels: int = 1) -> keras.KerasTensor:
        return keras.random.uniform((ops.shape(photos)[0], 1, 1, channels), low, high, seed=self._seeds)

    def _choose(self, photos: keras.KerasTensor, share: float) -> keras.KerasTensor:
        return ops.cast(self._draw(photos, 0, 1) < share, "float32")

    def _reframe(self, photos: keras.KerasTensor) -> keras.KerasTensor:
        height, width = photos.shape[1:3]
        cut = keras.random.uniform((ops.shape(photos)[0], 4), 0, MARGIN, seed=self._seeds)
        scale_x, scale_y = 1 - cut[:, 0] - cut[:, 1], 1 - cut[:, 2] - cut[:, 3]
        left, top = cut[:, 0] * (width - 1), cut[:, 2] * (height - 1)
        mirrored = ops.cast(keras.random.uniform(ops.shape(left), seed=self._seeds) < 0.5, "float32")
        right = left + scale_x * (width - 1)
        zero = ops.zeros_like(left)
        maps = [scale_x * (1 - 2 * mirrored), zero, left + mirrored * (right - left), zero, scale_y, top, zero, zero]
        return ops.image.affine_transform(
            photos, ops.stack(maps, axis=1), fill_mode="nearest", data_format="channels_last"
        )


def _to_grey(photos: keras.KerasTensor) -> keras.KerasTensor:
    """Return the luma (N, H, W, 1) of ITU-R BT.601, as Pillow's ``L``."""
    return ops.sum(photos * ops.convert_to_tensor([0.299, 0.587, 0.114]), axis=-1, keepdims=True)


def _blur(photos: keras.KerasTensor) -> keras.KerasTensor:
    """Return ``photos`` after a Gaussian blur of 1.5 pixels."""
    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * 1.5**2))
    kernel = np.repeat(np.outer(line, line)[:, :, None, None] / line.sum() ** 2, 3, axis=2).astype(np.float32)
    return ops.depthwise_conv(photos, kernel, padding="same", data_format="channels_last")


def quantize_blocks(photos: keras.KerasTensor, coarseness: keras.KerasTensor) -> keras.KerasTensor:
    """Return ``photos`` (N, H, W, 3) in [0, 1] as a JPEG shows them: blocks of 8 x 8 cosines, rounded.

    ``coarseness`` (N, 1, 1, 1) multiplies the luminance table of the JPEG standard (ITU-T T.81, table K.1), which is
    quality 50; the colour channels use it too. Cells outside whole blocks keep their values.
    """
    height, width = (side // 8 for side in photos.shape[1:3])
    inner = photos[:, : height * 8, : width * 8] * 255 - 128
    blocks = ops.reshape(ops.matmul(inner, TO_YCC), (-1, height, 8, width, 8, 3))
    step = ops.reshape(coarseness, (-1, 1, 1, 1, 1, 1)) * ops.convert_to_tensor(LUMINANCE[None, None, None, None])
    cosines = ops.einsum("ui,nhiwjc,vj->nhwcuv", COSINES, blocks, COSINES)
    cosines = ops.round(cosines / step) * step
    blocks = ops.einsum("ui,nhwcuv,vj->nhiwjc", COSINES, cosines, COSINES)
    shown = ops.matmul(ops.reshape(blocks, ops.shape(inner)), np.linalg.inv(TO_YCC).astype(np.float32))
    shown = ops.clip((shown + 128) / 255, 0, 1)
    shown = ops.concatenate([shown, photos[:, : height * 8, width * 8 :]], axis=2)
    return ops.concatenate([shown, photos[:, height * 8 :]], axis=1)


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
