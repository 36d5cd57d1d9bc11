"""Smaller depthwise kernels approximate the larger ones."""

import keras
import numpy as np
import pytest
from keras import layers

from model.training.photos import to_input
from model.training.slimming import fit_kernels

SIZE = 24


def network(kernel: int, stride: int) -> keras.Model:
    inputs = keras.Input((SIZE, SIZE, 3), name="input")
    x = layers.Conv2D(6, 1, activation="relu", name="expand")(inputs)
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name="depthwise")(x)
    x = layers.BatchNormalization(name="depthwise_norm")(x)
    return keras.Model(inputs, layers.Conv2D(4, 1, name="project")(x))


@pytest.fixture
def pixels() -> np.ndarray:
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (40, 6, 6, 3))
    grain = random.integers(-40, 40, (40, SIZE, SIZE, 3))
    return (coarse.repeat(SIZE // 6, 1).repeat(SIZE // 6, 2) + grain).clip(0, 255).astype(np.uint8)


def large(stride: int) -> keras.Model:
    keras.utils.set_random_seed(3)
    model = network(5, stride)
    random = np.random.default_rng(2)
    model.get_layer("depthwise_norm").set_weights(
        [random.uniform(0.5, 2, 6), random.normal(size=6), random.normal(size=6), random.uniform(0.5, 2, 6)]
    )
    return model


def predict(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    return model.predict(to_input(pixels), verbose=0)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_kernel_that_is_zero_outside_its_centre_loses_nothing(pixels, stride):
    model, small = large(stride), network(3, stride)
    kernel = np.zeros((5, 5, 6, 1), np.float32)
    kernel[1:4, 1:4] = np.random.default_rng(4).normal(size=(3, 3, 6, 1))
    model.get_layer("depthwise").set_weights([kernel])
    fit_kernels(model, small, pixels)
    np.testing.assert_allclose(predict(small, pixels), predict(model, pixels), atol=0.02)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_fitted_kernel_beats_the_centre_on_unseen_images(pixels, stride):
    model, small, middle = large(stride), network(3, stride), network(3, stride)
    fit_kernels(model, small, pixels[:30])
    middle.set_weights([part[1:4, 1:4] if part.shape == (5, 5, 6, 1) else part for part in model.get_weights()])
    unseen = pixels[30:]
    wanted = predict(model, unseen)
    fitted, cut = (np.square(predict(each, unseen) - wanted).mean() for each in (small, middle))
    assert fitted < 0.5 * cut
