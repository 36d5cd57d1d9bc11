"""The pixel values that a Keras model expects, made from values in [0, 1] inside the graph."""

from typing import Any

import numpy as np
import tensorflow as tf

# Of ImageNet, by channel: those of keras.applications' preprocess_input in its modes "torch" and "caffe".
TORCH_MEAN, TORCH_DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
CAFFE_MEAN = np.float32([103.939, 116.779, 123.68])

# (factor, offset) from an input in [0, 1] to what the Keras model expects.
INPUT_RANGES: dict[str, tuple[Any, Any]] = {"0..1": (1.0, 0.0), "0..255": (255.0, 0.0), "-1..1": (2.0, -1.0)}
# The same with a factor and an offset for each of three channels.
BY_CHANNEL: dict[str, tuple[Any, Any]] = {
    "torch": (1 / TORCH_DEVIATION, -TORCH_MEAN / TORCH_DEVIATION),
    "caffe": (255.0, -CAFFE_MEAN),
}
BLUE_FIRST = ("caffe",)
CHOICES = (*INPUT_RANGES, *BY_CHANNEL)


def scale_input(images: tf.Tensor, input_range: str) -> tf.Tensor:
    """Return ``images`` (N, H, W, C) in [0, 1] with the values that the Keras model expects."""
    if input_range == "0..1":
        return images
    if input_range in BLUE_FIRST:
        images = tf.gather(images, [2, 1, 0], axis=-1)
    factor, offset = (INPUT_RANGES | BY_CHANNEL)[input_range]
    return images * factor + offset
