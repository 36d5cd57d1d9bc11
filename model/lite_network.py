"""The default network: EfficientNet-Lite0 with its head behind the pooling, and two answers while it is trained."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

import efficientnet_lite as lite
from photo import to_input

VARIANT = "lite0"
KERNELS = tuple(stage.kernel for stage in lite.STAGES for _ in range(stage.repeats))
"""The widths of the blocks' depthwise kernels."""
BLOCKS = len(KERNELS)
SCORE = "score"
IMAGENET = "imagenet"


def build(size: int, seed: int = 0, blocks: int = BLOCKS, kernels: Sequence[int] = KERNELS) -> keras.Model:
    """Return the network to train, with ImageNet's weights: (N, size, size, 3) in [0, 1] to two outputs.

    ``imagenet``: (N, 1000) logits. ``score``: (N, 1) logit of the positive class, untrained.

    Pooling comes before the head (a convolution to 1280 channels in the original) as in MobileNetV3 (Howard et al.
    2019, https://arxiv.org/abs/1905.02244): the head then is computed once and not for each cell of the grid. It
    keeps its weights, the normalisation folded into them; behind fewer ``blocks`` it starts from nothing.
    """
    inputs = keras.Input((size, size, 3), name="input")
    x = lite.features(inputs, VARIANT, blocks, kernels=kernels)
    x = layers.GlobalAveragePooling2D(name="pooling")(x)
    x = layers.Dense(lite.HEAD, name="head", kernel_initializer=keras.initializers.GlorotUniform(seed + 1))(x)
    x = layers.ReLU(max_value=6.0, name="head_relu6")(x)
    outputs = {
        SCORE: layers.Dense(1, name=SCORE, kernel_initializer=keras.initializers.GlorotUniform(seed))(x),
        IMAGENET: layers.Dense(lite.CLASSES, name=IMAGENET)(x),
    }
    model = keras.Model(inputs, outputs, name="husky_lite")
    lite.load_imagenet(model, VARIANT, skip=frozenset({"head"}))
    if blocks == BLOCKS:
        model.get_layer("head").set_weights(_folded_head(lite.weights(VARIANT)))
    return model


def _folded_head(weights: dict[str, np.ndarray]) -> list[np.ndarray]:
    gain = weights["_bn1.weight"] / np.sqrt(weights["_bn1.running_var"] + lite.EPSILON)
    kernel = weights["_conv_head.weight"][:, :, 0, 0].T * gain
    return [kernel, weights["_bn1.bias"] - weights["_bn1.running_mean"] * gain]


def kernels_of(model: keras.Model) -> tuple[int, ...]:
    """Return the widths of the depthwise kernels of ``model``, block by block."""
    return tuple(layer.kernel_size[0] for layer in model.layers if isinstance(layer, layers.DepthwiseConv2D))


def train_from(model: keras.Model, block: int) -> None:
    """Let the layers from ``block`` on learn; those before it, and every normalisation, stay as ImageNet left them."""
    learning = False
    for layer in model.layers:
        learning = learning or layer.name.startswith(f"block_{block}_")
        layer.trainable = learning and not isinstance(layer, layers.BatchNormalization)


def logits(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Return what the network to train says of (N, size, size, 3) uint8 ``pixels``: (N,) logits of the positive."""
    return model.predict(to_input(pixels), batch_size=64, verbose=0)[SCORE][:, 0].astype(np.float64)
