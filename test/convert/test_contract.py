"""Models that cannot be served are refused, each with its reason."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from convert.contract import Contract, check_outputs, check_size, count_weights, read_contract
from convert.errors import ConversionError

layers = keras.layers


def network(shape, outputs=1, activation="sigmoid", batch=None):
    pixels = keras.Input(shape, batch_size=batch)
    flat = layers.GlobalAveragePooling2D()(pixels) if len(shape) == 3 else pixels
    return keras.Model(pixels, layers.Dense(outputs, activation=activation)(flat))


def two_inputs():
    first, second = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    return keras.Model([first, second], layers.Dense(1)(layers.Flatten()(layers.Add()([first, second]))))


def two_outputs():
    pixels = keras.Input((8, 8, 3))
    flat = layers.Flatten()(pixels)
    return keras.Model(pixels, [layers.Dense(1)(flat), layers.Dense(1)(flat)])


def image_out():
    pixels = keras.Input((8, 8, 3))
    return keras.Model(pixels, layers.Conv2D(1, 1)(pixels))


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: network((8,)), "must be an image, found a vector of 8"),
        (lambda: network((8, 8, 2)), r"3 channels \(RGB\) or 1 \(grey\)"),
        (lambda: network((3, 8, 8)), "channels must come last"),
        (lambda: network((None, 8, 3)), "height and width of the input must be fixed.*--size"),
        (lambda: network((2048, 8, 3)), "1024 pixels"),
        (two_inputs, "one input, found 2: .*takes the photo alone, copy the weights"),
        (two_outputs, "2 outputs.*--output"),
        (image_out, "output must be"),
        (lambda: network((8, 8, 3), outputs=3), "needs 3 labels"),
    ],
)
def test_refuses_shapes_that_cannot_be_served(model, reason):
    with pytest.raises(ConversionError, match=reason):
        read_contract(model(), ["husky", "not husky"])


def test_the_contract_has_shape_and_activation():
    assert read_contract(network((8, 9, 3)), ["a", "b"]) == Contract(8, 9, 1, "sigmoid")
    assert read_contract(network((8, 9, 3), 2, "softmax"), ["a", "b"]) == Contract(8, 9, 2, "softmax")


@pytest.mark.parametrize(
    ("size", "outputs", "reason"),
    [
        (1, [[0.5], [1.5]], "must end in a sigmoid"),
        (1, [[-0.1], [0.5]], "must end in a sigmoid"),
        (1, [[np.nan], [0.5]], "not finite"),
        (2, [[0.9, 0.9]], "sum to 1"),
    ],
)
def test_refuses_outputs_that_are_not_probabilities(size, outputs, reason):
    with pytest.raises(ConversionError, match=reason):
        check_outputs(Contract(8, 8, size, "sigmoid" if size == 1 else "softmax"), np.float32(outputs))


@pytest.mark.parametrize(("outputs", "activation"), [(1, "linear"), (3, "sigmoid"), (3, "linear")])
def test_does_not_convert_a_network_without_probabilities(run, tmp_path, outputs, activation):
    network((24, 24, 3), outputs, activation).save(tmp_path / "raw.keras")
    labels = "a,b" if outputs == 1 else "a,b,c"
    refused = run(tmp_path / "raw.keras", "--labels", labels, "--input-range", "0..255")
    assert refused.code == 1
    assert "sum to 1" in refused.error or "must end in a" in refused.error
    assert not refused.out.exists()


def test_refuses_a_network_that_no_isolate_can_hold():
    model = SimpleNamespace(weights=[np.broadcast_to(np.float32(0), (3, 3, 1000, 4000)), np.zeros(4000)])
    with pytest.raises(
        ConversionError, match=r"36\.0 million weights take 144 MB, twice while it loads, and an isolate"
    ):
        check_size(count_weights(model))
