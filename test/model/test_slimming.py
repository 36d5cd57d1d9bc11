"""Smaller depthwise kernels that answer nearly what the larger ones did."""

import keras
import numpy as np
import pytest
from keras import layers

from photo import to_input
from slimming import slim

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


def answers(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    return model.predict(to_input(pixels), verbose=0)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_kernel_that_is_nothing_but_its_middle_loses_nothing(pixels, stride):
    model, small = large(stride), network(3, stride)
    kernel = np.zeros((5, 5, 6, 1), np.float32)
    kernel[1:4, 1:4] = np.random.default_rng(4).normal(size=(3, 3, 6, 1))
    model.get_layer("depthwise").set_weights([kernel])
    slim(model, small, pixels)
    np.testing.assert_allclose(answers(small, pixels), answers(model, pixels), atol=0.02)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_fitted_kernel_is_nearer_than_the_middle_also_on_pictures_not_seen(pixels, stride):
    model, small, middle = large(stride), network(3, stride), network(3, stride)
    slim(model, small, pixels[:30])
    middle.set_weights([part[1:4, 1:4] if part.shape == (5, 5, 6, 1) else part for part in model.get_weights()])
    unseen = pixels[30:]
    wanted = answers(model, unseen)
    fitted, cut = (np.square(answers(each, unseen) - wanted).mean() for each in (small, middle))
    assert fitted < 0.5 * cut
