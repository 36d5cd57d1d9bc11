"""weights.bin: where each tensor is, and which are float16."""

import json

import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from convert.contract import Contract
from convert.graph import to_onnx
from convert.onnx_network import OnnxNetwork
from convert.optimisation import optimise
from convert.tracing import trace
from convert.weights import separate_weights
from networks import pooling_network
from served import open_release, read_tensors

layers = keras.layers


def prepared(model: keras.Model, size: int):
    """Return ``model`` as it is served, with float16 weights where possible."""
    return separate_weights(optimise(to_onnx(model, Contract(size, size, 1, "sigmoid"))), model)


def wide_network() -> keras.Model:
    """Return a network with more weights than structure."""
    return keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


@pytest.fixture
def wide_h5(tmp_path):
    path = tmp_path / "wide.h5"
    wide_network().save(path, include_optimizer=False)
    return path


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_graph_refers_to_the_widened_file(run, wide_h5, precision):
    done = run(wide_h5, "--weights", precision)
    tensors = read_tensors(done.manifest, (done.out / "weights.bin").read_bytes())
    assert [tensor.dtype.name for tensor in tensors.values()] == [precision] * 2
    assert [tensor.shape for tensor in tensors.values()] == [(24 * 24 * 3, 64), (64, 32)]
    proto = onnx.load(done.out / "graph.onnx", load_external_data=False)
    external = [tensor for tensor in proto.graph.initializer if tensor.data_location == TensorProto.EXTERNAL]
    assert [tensor.name for tensor in external] == list(tensors)
    assert {tensor.data_type for tensor in external} == {TensorProto.FLOAT}
    start = 0
    for tensor, stored in zip(external, tensors.values(), strict=True):
        length = 4 * stored.size
        assert tuple(tensor.dims) == stored.shape
        assert {entry.key: entry.value for entry in tensor.external_data} == {
            "location": "weights.bin", "offset": str(start), "length": str(length),
        }  # fmt: skip
        assert not tensor.raw_data
        start += length
    for tensor in proto.graph.initializer:
        assert (tensor.data_location == TensorProto.EXTERNAL) == (np.prod(tensor.dims) >= 1024)
    assert (done.out / "graph.onnx").stat().st_size < 4000


def test_float16_halves_the_file_and_keeps_the_scores(run, wide_h5):
    whole, half = run(wide_h5), run(wide_h5, "--weights", "float16", out="half")
    assert half.code == 0, half.error
    sizes = [done.manifest["files"]["weights.bin"]["bytes"] for done in (half, whole)]
    assert 2 * sizes[0] == sizes[1]
    assert whole.manifest["parity"] == {"inputs": 64, "tolerance": 1e-4}
    assert half.manifest["parity"] == {"inputs": 64, "tolerance": 0.01}
    photos = np.random.default_rng(1).random((8, 24, 24, 3)).astype(np.float32)
    difference = np.abs(open_release(whole.out).score(photos) - open_release(half.out).score(photos)).max()
    assert 0 < difference < 2e-3


def test_only_storage_is_float16(run, wide_h5):
    proto = onnx.load(run(wide_h5, "--weights", "float16").out / "graph.onnx", load_external_data=False)
    assert {tensor.data_type for tensor in proto.graph.initializer} <= {TensorProto.FLOAT, TensorProto.INT64}
    assert "Cast" not in {node.op_type for node in proto.graph.node}


def test_gives_the_same_bytes_each_time(run, wide_h5):
    first = run(wide_h5, "--weights", "float16")
    assert first.digests == run(wide_h5, "--weights", "float16", out="again").digests


def test_converts_a_heat_map_too(run, tmp_path):
    model = pooling_network()
    model.save(tmp_path / "pooling.keras")
    done = run(tmp_path / "pooling.keras", "--weights", "float16")
    assert done.code == 0, done.error
    assert done.manifest["heatmap"] == {"input": "heatmaps", "output": "heatmap", "rows": 8, "columns": 8}


def test_a_network_may_have_no_large_weights(run, tmp_path):
    layers_after = [layers.GlobalAveragePooling2D(), layers.Dense(1, activation="sigmoid")]
    keras.Sequential([keras.Input((24, 24, 3)), *layers_after]).save(tmp_path / "tiny.keras")
    done = run(tmp_path / "tiny.keras", "--weights", "float16")
    assert done.code == 0, done.error
    assert (done.out / "weights.bin").read_bytes() == b""
    assert done.manifest["weights"] == []


def with_kernel(kernel: np.ndarray) -> keras.Model:
    model = keras.Sequential([keras.Input((24, 24, 3)), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.layers[-1].set_weights([kernel, np.zeros(1)])
    return model


def test_a_weight_outside_the_range_of_float16_stays_float32(run, tmp_path):
    kernel = np.zeros((24 * 24 * 3, 1), np.float32)
    kernel[5:7, 0] = [70_000, 0.1]
    with_kernel(kernel).save(tmp_path / "large.keras")
    done = run(tmp_path / "large.keras", "--weights", "float16")
    assert done.code == 0, done.error
    (tensor,) = read_tensors(done.manifest, (done.out / "weights.bin").read_bytes()).values()
    assert tensor.dtype == np.float32
    assert np.array_equal(tensor, kernel)


def test_refuses_a_network_that_rounding_changes(run, tmp_path):
    """Large weights of both signs nearly cancel, which leaves the rounding."""
    kernel = np.random.default_rng(1).choice([-30.01, 30.0], (24 * 24 * 3, 1)).astype(np.float32)
    with_kernel(kernel).save(tmp_path / "cancelling.keras")
    assert run(tmp_path / "cancelling.keras").code == 0
    refused = run(tmp_path / "cancelling.keras", "--weights", "float16", out="half")
    assert refused.code == 1
    assert "ONNX and Keras differ" in refused.error
    assert "allowed 0.01" in refused.error


def after(*body: keras.layers.Layer) -> keras.Model:
    """Return a network of 12 x 12 pixels: 16 channels, then ``body``, then a score."""
    first = [keras.Input((12, 12, 3)), layers.Conv2D(16, 1)]
    model = keras.Sequential([*first, *body, layers.GlobalMaxPooling2D(), layers.Dense(1, activation="sigmoid")])
    random = np.random.default_rng(3)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weights.shape) for weights in layer.get_weights()])
    return model


TRACED = {
    "convolution": lambda: after(layers.Conv2D(16, 3)),
    "convolution, normalised": lambda: after(layers.Conv2D(16, 3), layers.BatchNormalization()),
    "without bias, normalised": lambda: after(layers.Conv2D(16, 3, use_bias=False), layers.BatchNormalization()),
    "depthwise, two outputs a channel": lambda: after(
        layers.DepthwiseConv2D(6, depth_multiplier=2), layers.BatchNormalization()
    ),
    "separable": lambda: after(layers.SeparableConv2D(80, 9)),
    "transposed": lambda: after(layers.Conv2DTranspose(16, 3)),
    "dense": lambda: after(layers.Dense(80)),
    "dense, normalised": lambda: after(layers.Dense(80), layers.BatchNormalization()),
    "rows and columns": lambda: after(layers.Conv2D(16, (5, 3)), layers.BatchNormalization()),
    "a nested model": lambda: after(keras.Sequential([layers.Conv2D(16, 3), layers.ReLU()])),
    "folded bias": lambda: after(layers.Conv2D(1024, 1), layers.BatchNormalization()),
    "folded offset": lambda: after(layers.Conv2D(1024, 1, use_bias=False), layers.BatchNormalization()),
    "without beta": lambda: after(layers.Conv2D(1024, 1), layers.BatchNormalization(center=False)),
    "without gamma": lambda: after(layers.Conv2D(1024, 1), layers.BatchNormalization(scale=False)),
}


@pytest.mark.parametrize("name", TRACED)
def test_keras_can_hold_what_was_rounded(name):
    model = TRACED[name]()
    served = prepared(model, 12)
    assert served.tensors
    assert {entry["dtype"] for entry in served.tensors} == {"float16"}
    photos = np.random.default_rng(4).random((8, 12, 12, 3)).astype(np.float32)
    found = OnnxNetwork(served.graph, served.widened).score(photos)
    before = keras.ops.convert_to_numpy(model(photos))
    for index, value in served.rounded.items():
        model.weights[index].assign(value)
    assert np.abs(found - keras.ops.convert_to_numpy(model(photos))).max() < 5e-7
    assert np.abs(found - before).max() > 1e-6


def twice_normalised() -> keras.Model:
    """Return a network with one convolution whose results two normalisations scale."""
    pixels = keras.Input((12, 12, 3))
    shared = layers.Conv2D(48, 3, use_bias=False)
    norms = [layers.BatchNormalization(), layers.BatchNormalization()]
    first, second = (norm(shared(part)) for norm, part in zip(norms, (pixels, layers.ReLU()(pixels)), strict=True))
    model = keras.Model(
        pixels, layers.Dense(1, activation="sigmoid")(layers.GlobalMaxPooling2D()(layers.Add()([first, second])))
    )
    random = np.random.default_rng(3)
    for norm in norms:
        norm.set_weights([random.uniform(0.5, 1.5, weights.shape) for weights in norm.get_weights()])
    return model


def twins() -> keras.Model:
    """Return a network with two equal kernels: which of them a weight came from cannot be seen."""
    kernels = [layers.Conv2D(16, 3, use_bias=False), layers.Conv2D(16, 3, use_bias=False)]
    model = after(kernels[0], layers.BatchNormalization(), layers.ReLU(), kernels[1], layers.BatchNormalization())
    kernels[1].set_weights(kernels[0].get_weights())
    return model


@pytest.mark.parametrize("network", [twice_normalised, twins])
def test_what_cannot_be_traced_to_one_variable_stays_float32(network):
    served = prepared(network(), 12)
    assert [entry["dtype"] for entry in served.tensors] == ["float32", "float32"]
    assert not served.rounded


def test_a_weight_that_two_variables_explain_has_no_origin():
    model = twins()
    kernel = model.layers[1].get_weights()[0]
    scales = np.linspace(0.5, 2, 16, dtype=np.float32)
    weight = {"weight": kernel.transpose(3, 2, 0, 1) * scales[:, None, None, None]}
    assert trace(weight, model) == {}
    model.layers[4].set_weights([kernel + 1])
    assert list(trace(weight, model)) == ["weight"]


def test_weights_that_float16_holds_exactly_need_no_origin():
    model = twins()
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            layer.set_weights([np.zeros_like(part) for part in layer.get_weights()])
    served = prepared(model, 12)
    assert {entry["dtype"] for entry in served.tensors} == {"float16"}
    assert not served.rounded


def test_the_table_is_as_long_as_the_file(run, binary_h5):
    """The Worker refuses gaps, overlaps and names that occur twice; `read_tensors` checks the same."""
    done = run(binary_h5)
    manifest = json.loads((done.out / "manifest.json").read_text("utf-8"))
    assert read_tensors(manifest, (done.out / "weights.bin").read_bytes())
