"""Fits smaller depthwise kernels, which ONNX Runtime's WebAssembly computes several times as fast.

MLAS has a routine for depthwise convolutions of 3 x 3; it unrolls all others into a matrix for each channel.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

from model.training.distillation import Lessons
from model.training.lite_network import KERNELS, build
from model.training.photos import to_input

BATCH = 32
RIDGE = 1e-4
"""Relative to the mean square of a channel's input: keeps the equations of an all-zero channel solvable."""
FITTED_ON = 256
"""Views: even the coarsest grid has thousands of cells in them, for the ten unknowns of each channel."""


@dataclass(frozen=True)
class Slimming:
    """The blocks that get a smaller depthwise kernel, and its width."""

    blocks: list[int]
    kernel: int

    @property
    def kernels(self) -> list[int]:
        """The width of the depthwise kernel of each block of the slimmed network."""
        return [min(width, self.kernel) if block in self.blocks else width for block, width in enumerate(KERNELS)]


def build_slim(slimming: Slimming, lessons: Lessons, seed: int) -> keras.Model:
    """Return the network to train with smaller kernels, fitted to the outputs of ImageNet's on views of ``lessons``."""
    size = lessons.pixels.shape[1]
    small = build(size, seed, slimming.kernels)
    drawn = np.random.default_rng(seed).choice(len(lessons.share), FITTED_ON, p=lessons.share)
    fit_kernels(build(size, seed), small, lessons.pixels[drawn])
    return small


def fit_kernels(model: keras.Model, small: keras.Model, pixels: np.ndarray) -> None:
    """Set the weights of ``small``, which is ``model`` with smaller depthwise kernels, to approximate ``model``.

    Layers of the same shape copy their weights. Each smaller kernel, with a constant, minimises the squared difference
    from the output of the larger one over all cells of ``pixels`` (N, size, size, 3) uint8, channel by channel and
    block by block, so that each corrects for the changes before it. The constant moves the mean of the normalisation
    after it.
    """
    for layer in small.layers:
        weights = model.get_layer(layer.name).get_weights()
        if [part.shape for part in weights] == [part.shape for part in layer.get_weights()]:
            layer.set_weights(weights)
    for layer in small.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            larger = model.get_layer(layer.name)
            if larger.kernel_size != layer.kernel_size:
                _fit_kernel(model, larger, small, layer, pixels)


def _fit_kernel(
    model: keras.Model, larger: layers.Layer, small: keras.Model, smaller: layers.Layer, pixels: np.ndarray
) -> None:
    wanted = keras.Model(model.inputs, larger.output).predict(to_input(pixels), batch_size=BATCH, verbose=0)
    given = keras.Model(small.inputs, smaller.input).predict(to_input(pixels), batch_size=BATCH, verbose=0)
    size, stride, channels = smaller.kernel_size[0], smaller.strides[0], given.shape[-1]
    terms = size * size + 1
    squares, products = np.zeros((channels, terms, terms)), np.zeros((channels, terms))
    for start in range(0, len(pixels), BATCH):
        patches = ops.image.extract_patches(given[start : start + BATCH], size, stride, padding="same")
        patches = ops.reshape(patches, (-1, size * size, channels))
        patches = ops.concatenate([patches, ops.ones_like(patches[:, :1])], axis=1)
        target = ops.reshape(wanted[start : start + BATCH], (-1, channels))
        by_channel = ops.transpose(patches, (2, 1, 0))
        squares += ops.convert_to_numpy(by_channel @ ops.transpose(patches, (2, 0, 1)))
        products += ops.convert_to_numpy(by_channel @ ops.transpose(target)[:, :, None])[:, :, 0]
    ridge = RIDGE * np.trace(squares, axis1=1, axis2=2) / terms + np.finfo(np.float32).eps
    solved = np.linalg.solve(squares + ridge[:, None, None] * np.eye(terms), products[:, :, None])[:, :, 0]
    smaller.set_weights([solved[:, :-1].T.reshape(size, size, channels, 1).astype(np.float32)])

    norm = small.get_layer(f"{smaller.name}_norm")
    gain, offset, mean, variance = model.get_layer(norm.name).get_weights()
    norm.set_weights([gain, offset, mean - solved[:, -1].astype(np.float32), variance])
