"""Smaller depthwise kernels, which ONNX Runtime's WebAssembly computes several times as fast as larger ones.

MLAS has a kernel for depthwise convolutions of 3 x 3; all others are unrolled into a matrix for each channel.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

from distillation import Lessons
from lite_network import build, kernels_of
from photo import to_input

BATCH = 32
RIDGE = 1e-4
"""Of the mean square of a channel's input: keeps the equations of a channel that is always 0 solvable."""

FITTED_ON = 256
"""Views: thousands of places, even in the coarsest grid, for the ten unknowns of each channel."""


@dataclass(frozen=True)
class Slimming:
    """Which blocks get a smaller depthwise kernel, and how wide it is."""

    blocks: list[int]
    kernel: int


def slimmed(model: keras.Model, slimming: Slimming, lessons: Lessons, seed: int) -> keras.Model:
    """Return the network to train ``model`` with smaller kernels, fitted to what the larger ones answer to views."""
    kernels = list(kernels_of(model))
    for block in slimming.blocks:
        kernels[block] = min(kernels[block], slimming.kernel)
    small = build(lessons.pixels.shape[1], seed, len(kernels), kernels)
    drawn = np.random.default_rng(seed).choice(len(lessons.share), FITTED_ON, p=lessons.share)
    slim(model, small, lessons.pixels[drawn])
    return small


def slim(model: keras.Model, small: keras.Model, pixels: np.ndarray) -> None:
    """Give ``small``, the network ``model`` with smaller depthwise kernels, weights that make it nearly the same.

    Layers of the same shape take over their weights. A smaller kernel, and a constant, are those with the least
    squared difference from what the larger kernel answers, over all places in ``pixels`` (N, size, size, 3) uint8:
    channel by channel, block by block, so that each makes up for what the ones before it have changed. The constant
    goes into the mean of the normalisation that follows.
    """
    for layer in small.layers:
        weights = model.get_layer(layer.name).get_weights()
        if [part.shape for part in weights] == [part.shape for part in layer.get_weights()]:
            layer.set_weights(weights)
    for layer in small.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            larger = model.get_layer(layer.name)
            if larger.kernel_size != layer.kernel_size:
                _fit(model, larger, small, layer, pixels)


def _fit(
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
