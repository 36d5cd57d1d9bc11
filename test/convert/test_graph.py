"""Networks that tf2onnx needs help with."""

import keras
import numpy as np
import pytest

from convert.contract import read_contract
from convert.graph import to_onnx
from convert.inspection import inspect_file
from convert.onnx_network import OnnxNetwork
from convert.optimisation import optimise
from convert.weights import separate_weights

layers = keras.layers


def normalising() -> keras.Model:
    """Return a network with two Normalization layers: one adapted to data, one in a nested model."""
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(1).uniform(50, 200, (20, 16, 16, 3)).astype(np.float32))
    inner = keras.Sequential(
        [keras.Input((14, 14, 4)), layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[2] * 4)]
    )
    body = [adapted, layers.Conv2D(4, 3), inner, layers.Flatten(), layers.Dense(3, activation="softmax")]
    return keras.Sequential([keras.Input((16, 16, 3)), *body])


# Each with the variance of its normalisations, so small that the photo's influence does not fade from layer to layer.
NETWORKS = {
    "normalisation": (normalising, 1),
    "MobileNetV3Small": (
        lambda: keras.applications.MobileNetV3Small(weights=None, input_shape=(32, 32, 3), alpha=0.35, classes=3),
        0.05,
    ),
    "EfficientNetB0": (
        lambda: keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), classes=3),
        0.2,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_served_form_returns_what_keras_returns(name, tmp_path):
    build, variance = NETWORKS[name]
    model = build()
    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            *others, last = [random.uniform(0.5, 1.5, weights.shape) for weights in layer.get_weights()]
            layer.set_weights([*others, variance * last])
    model.save(tmp_path / "model.keras")
    inspect_file(tmp_path / "model.keras")
    contract = read_contract(model, ["a", "b", "c"])
    proto = to_onnx(model, contract, "0..255")
    assert [value.name for value in proto.graph.input if value.name != "heatmaps"] == ["input"]
    served = separate_weights(optimise(proto), model)
    photos = random.random((4, contract.height, contract.width, 3)).astype(np.float32)
    found = OnnxNetwork(served.graph, served.widened).score(photos)
    for index, value in served.rounded.items():
        model.weights[index].assign(value)
    assert np.abs(found - keras.ops.convert_to_numpy(model(photos * 255))).max() < 1e-5
    assert found.std(axis=0).max() > 1e-4  # the outputs depend on the photo


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize(("given", "size"), [((24, 24), (32, 20)), ((24, 24), (20, 7)), ((11, 19), (13, 27))])
def test_resizing_has_the_size_and_the_pixels_of_keras(interpolation, given, size):
    """11 * float32(13 / 11) is below 13; from 24 to 20, every fifth pixel is exactly between two."""
    resizing = layers.Resizing(*size, interpolation=interpolation)
    body = [resizing, layers.Flatten(), layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((*given, 3)), *body])
    served = separate_weights(optimise(to_onnx(model, read_contract(model, ["a", "b", "c"]))), None)
    photos = np.random.default_rng(5).random((4, *given, 3)).astype(np.float32)
    found = OnnxNetwork(served.graph, served.widened).score(photos)
    assert np.abs(found - np.asarray(model(photos))).max() < 1e-5
