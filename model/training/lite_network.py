"""The default network: EfficientNet-Lite0 with two outputs during training."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from model.training import efficientnet_lite as lite
from model.training.photos import to_input

VARIANT = "lite0"
KERNELS = tuple(stage.kernel for stage in lite.STAGES for _ in range(stage.repeats))
"""The width of the depthwise kernel of each block."""
SCORE = "score"
IMAGENET = "imagenet"


def build(size: int, seed: int = 0, kernels: Sequence[int] = KERNELS) -> keras.Model:
    """Return the network to train, with ImageNet's weights: (N, size, size, 3) in [0, 1] to two outputs.

    ``imagenet``: (N, 1000) logits. ``score``: (N, 1) logit of the positive class, untrained.
    """
    inputs = keras.Input((size, size, 3), name="input")
    x = lite.add_features(inputs, VARIANT, kernels=kernels)
    x = layers.GlobalAveragePooling2D(name="pooling")(x)
    outputs = {
        SCORE: layers.Dense(1, name=SCORE, kernel_initializer=keras.initializers.GlorotUniform(seed))(x),
        IMAGENET: layers.Dense(lite.CLASSES, name=IMAGENET)(x),
    }
    model = keras.Model(inputs, outputs, name="husky_lite")
    lite.load_imagenet(model, VARIANT)
    return model


def kernels_of(model: keras.Model) -> tuple[int, ...]:
    """Return the width of the depthwise kernel of each block of ``model``."""
    return tuple(layer.kernel_size[0] for layer in model.layers if isinstance(layer, layers.DepthwiseConv2D))


def train_from(model: keras.Model, block: int) -> None:
    """Make the layers from ``block`` on trainable; earlier layers and all normalisations keep ImageNet's weights."""
    learning = False
    for layer in model.layers:
        learning = learning or layer.name.startswith(f"block_{block}_")
        layer.trainable = learning and not isinstance(layer, layers.BatchNormalization)


def predict_logits(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Return the logits (N,) of the positive class for ``pixels`` (N, size, size, 3) uint8."""
    return model.predict(to_input(pixels), batch_size=64, verbose=0)[SCORE][:, 0].astype(np.float64)
