"""Weights stored as float16."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from networks import pooling_network


def scores(release, photos):
    return onnxruntime.InferenceSession(release / "model.onnx").run(["scores"], {"input": photos})[0]


@pytest.fixture
def wide_h5(tmp_path):
    """A network with more weights than structure."""
    path = tmp_path / "wide.h5"
    keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    ).save(path, include_optimizer=False)
    return path


def test_halves_the_file_and_keeps_the_scores(run, wide_h5):
    whole, half = run(wide_h5), run(wide_h5, "--weights", "float16", out="half")
    assert half.code == 0, half.error
    assert (whole.manifest["weights"], half.manifest["weights"]) == ("float32", "float16")
    sizes = [done.manifest["files"]["model.onnx"]["bytes"] for done in (half, whole)]
    assert sizes[0] < 0.52 * sizes[1]
    assert half.manifest["parity"] == {"inputs": 64, "tolerance": 0.01}
    photos = np.random.default_rng(1).random((8, 24, 24, 3)).astype(np.float32)
    difference = np.abs(scores(whole.out, photos) - scores(half.out, photos)).max()
    assert 0 < difference < 2e-3


def test_only_storage_is_float16(run, wide_h5):
    proto = onnx.load(run(wide_h5, "--weights", "float16").out / "model.onnx")
    stored = [tensor for tensor in proto.graph.initializer if tensor.data_type == TensorProto.FLOAT16]
    assert [tuple(tensor.dims) for tensor in stored] == [(24 * 24 * 3, 64)]
    casts = [node for node in proto.graph.node if node.op_type == "Cast"]
    assert [(node.input[0], node.attribute[0].i) for node in casts] == [(stored[0].name, TensorProto.FLOAT)]
    inferred = onnx.shape_inference.infer_shapes(proto)
    computed = {value.type.tensor_type.elem_type for value in (*inferred.graph.value_info, *inferred.graph.output)}
    assert computed <= {TensorProto.FLOAT, TensorProto.INT64}


def test_gives_the_same_bytes_each_time(run, wide_h5):
    first = run(wide_h5, "--weights", "float16")
    assert first.digests == run(wide_h5, "--weights", "float16", out="again").digests


def test_converts_a_heat_map_too(run, tmp_path):
    pooling_network().save(tmp_path / "pooling.keras")
    done = run(tmp_path / "pooling.keras", "--weights", "float16")
    assert done.code == 0, done.error
    assert done.manifest["heatmap"] == {"input": "heatmaps", "output": "heatmap", "rows": 8, "columns": 8}


def with_kernel(path, kernel):
    model = keras.Sequential(
        [keras.Input((24, 24, 3)), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.layers[-1].set_weights([kernel, np.zeros(1)])
    model.save(path)


def test_refuses_a_weight_that_does_not_fit(run, tmp_path):
    kernel = np.zeros((24 * 24 * 3, 1), np.float32)
    kernel[5] = 70_000
    with_kernel(tmp_path / "large.keras", kernel)
    refused = run(tmp_path / "large.keras", "--weights", "float16")
    assert refused.code == 1
    assert "does not fit float16" in refused.error
    assert not refused.out.exists()


def test_refuses_a_network_that_rounding_changes(run, tmp_path):
    """Large weights of both signs nearly cancel, which leaves the rounding."""
    kernel = np.random.default_rng(1).choice([-30.01, 30.0], (24 * 24 * 3, 1)).astype(np.float32)
    with_kernel(tmp_path / "cancelling.keras", kernel)
    assert run(tmp_path / "cancelling.keras").code == 0
    refused = run(tmp_path / "cancelling.keras", "--weights", "float16", out="half")
    assert refused.code == 1
    assert "ONNX and Keras differ" in refused.error
    assert "allowed 0.01" in refused.error
