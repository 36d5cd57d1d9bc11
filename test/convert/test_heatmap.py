"""The heat map: its definition, the networks that have one, and the proof against Keras."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from convert import graph, heatmap_graph
from convert.contract import Contract
from convert.graph import to_onnx
from convert.onnx_network import OnnxNetwork
from convert.parity import draw_inputs
from networks import pooling_network, sigmoid_network, softmax_network

layers = keras.layers


def converted(model: keras.Model, height: int, width: int, classes: int = 1):
    """Return the network in ONNX Runtime, and the grid of its heat map."""
    proto = to_onnx(model, Contract(height, width, classes, "softmax" if classes > 1 else "sigmoid"))
    return OnnxNetwork(proto.SerializeToString()), heatmap_graph.read_grid(proto)


def pixels(count: int, height: int, width: int | None = None) -> np.ndarray:
    return np.random.default_rng(3).random((count, height, width or height, 3)).astype(np.float32)


def logit(probability: np.ndarray) -> np.ndarray:
    exact = probability.astype(np.float64)
    return np.log(exact / (1 - exact))


def scaled(evidence: np.ndarray) -> np.ndarray:
    """Return the map of ``evidence`` (rows, columns), by its definition."""
    return np.maximum(evidence, 0) / max(evidence.max(), np.log(19))


def test_the_mean_evidence_of_the_cells_is_the_logit_of_the_photo():
    model = pooling_network()
    network, grid = converted(model, 32, 32)
    assert grid == (8, 8)
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 20, bias])
    network, _ = converted(model, 32, 32)
    photos = pixels(5, 32)
    trunk = keras.Sequential([keras.Input((32, 32, 3)), *model.layers[:7]])
    evidence = (keras.ops.convert_to_numpy(trunk(photos)) @ (kernel * 20) + bias)[..., 0]
    assert np.abs(evidence.mean(axis=(1, 2)) - logit(network.score(photos))[:, 0]).max() < 1e-3
    found = network.draw_heatmaps(photos)
    assert found.shape == (5, 8, 8)
    for one, expected in zip(found, evidence, strict=True):
        assert np.abs(one - scaled(expected)).max() < 1e-5
    assert (found.std(axis=(1, 2)) > 0.05).any()


def test_a_confident_head_does_not_make_the_map_one_everywhere():
    """Evidence of 30 and of 10 both give a probability of 1 in float32."""
    network, _ = spotter([[30], [0], [0]], [0])
    photo = np.full((1, 24, 24, 3), 1 / 3, np.float32)
    photo[0, :6, :6, 0] = 1
    (found,) = network.draw_heatmaps(photo)
    assert network.score(photo) > 0.9999
    assert found[0, 0] == 1
    assert np.abs(found.ravel()[1:] - 1 / 3).max() < 1e-5


def test_weak_evidence_is_not_stretched():
    network, _ = spotter([[1], [0], [0]], [0])
    photo = np.zeros((1, 24, 24, 3), np.float32)
    photo[0, :6, :6, 0] = 1
    (found,) = network.draw_heatmaps(photo)
    assert found[0, 0] == pytest.approx(1 / np.log(19), abs=1e-6)
    network, _ = spotter([[1], [0], [0]], [-5])
    assert network.draw_heatmaps(photo).max() == 0


def spotter(kernel, bias):
    """Return a network over 4 x 4 cells of 6 pixels, whose logit is linear in the mean colour."""
    model = keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            layers.AveragePooling2D(6),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(bias), activation="sigmoid" if len(bias) == 1 else "softmax"),
        ]
    )
    model.layers[-1].set_weights([np.float32(kernel), np.float32(bias)])
    return converted(model, 24, 24, len(bias))


def test_with_several_labels_the_evidence_is_the_margin_over_the_best_other():
    network, _ = spotter(10 * np.eye(3), [0, 0, 0])
    photo = np.zeros((1, 24, 24, 3), np.float32)
    photo[0, :, :] = [0.2, 0.1, 0.4]
    photo[0, :6, :6] = [0.9, 0.8, 0.1]
    (found,) = network.draw_heatmaps(photo)
    # Label 0 has a margin of 1 in its cell and trails elsewhere; label 2 has a margin of 2 in all other cells.
    assert found[0, 0] == pytest.approx([1 / np.log(19), 0, 0], abs=1e-5)
    assert found[3, 3] == pytest.approx([0, 0, 2 / np.log(19)], abs=1e-5)


def test_a_cell_scores_as_a_photo_that_looks_like_it_everywhere():
    """Compares a nonlinear head with several labels to Keras, cell by cell."""
    grid = keras.Input((5, 7, 6))
    head = [
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.5),
        layers.Dense(9, activation="relu"),
        layers.BatchNormalization(),
        layers.Activation("tanh"),
        layers.Dense(3, activation="softmax"),
    ]
    answer = grid
    for layer in head:
        answer = layer(answer)
    tail = keras.Model(grid, answer)
    logits = keras.Model(grid, layers.Dense(3, name="logits")(tail.layers[-2].output))
    logits.get_layer("logits").set_weights(head[-1].get_weights())
    photo = keras.Input((10, 14, 3))
    body = keras.Model(photo, layers.Conv2D(6, 3, strides=2, padding="same")(photo))
    model = keras.Model(photo, tail(body(photo)))
    head[3].set_weights([np.random.default_rng(1).uniform(0.5, 1.5, 9).astype(np.float32) for _ in range(4)])

    network, _ = converted(model, 10, 14, 3)
    found = network.draw_heatmaps(pixels(2, 10, 14))
    assert found.shape == (2, 5, 7, 3)
    features = keras.ops.convert_to_numpy(body(pixels(2, 10, 14)))
    for one, cells in zip(found, features, strict=True):
        margins = np.empty((5, 7, 3))
        for row, column in np.ndindex(5, 7):
            everywhere = np.broadcast_to(cells[row, column], (1, 5, 7, 6))
            answer = keras.ops.convert_to_numpy(logits(everywhere))[0]
            margins[row, column] = [answer[label] - np.delete(answer, label).max() for label in range(3)]
        for label in range(3):
            assert np.abs(one[..., label] - scaled(margins[..., label])).max() < 1e-5


def test_the_head_runs_on_the_cells_of_as_many_photos_as_requested():
    """ONNX Runtime also computes outputs nobody fetches, so without a request the map must be empty."""
    proto = to_onnx(pooling_network(), Contract(32, 32, 1, "sigmoid"))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    photos = pixels(3, 32)
    whole = session.run(None, {"input": photos, "heatmaps": np.array([3])})
    for wanted in (0, 1, 2):
        scores, maps = session.run(None, {"input": photos, "heatmaps": np.array([wanted])})
        assert maps.shape == (wanted, 8, 8)
        assert np.abs(maps - whole[1][:wanted]).max(initial=0) < 1e-6
        assert np.abs(scores - whole[0]).max() < 1e-6
    made_of = {name: node for node in proto.graph.node for name in node.output}
    name, operators = "heatmap", []
    while made_of[name].op_type != "Slice":
        operators.append(made_of[name].op_type)
        name = made_of[name].input[0]
    # The whole head comes after the Slice.
    assert {"MatMul", "Gemm"} & set(operators)


def test_a_spot_in_a_corner_lights_up_that_corner():
    network, _ = spotter([[12], [-6], [-6]], [-2])
    for rows, columns, corner in [(slice(6), slice(18, 24), (0, 3)), (slice(18, 24), slice(6), (3, 0))]:
        photo = np.zeros((1, 24, 24, 3), np.float32)
        photo[0, rows, columns, 0] = 1
        (found,) = network.draw_heatmaps(photo)
        assert np.unravel_index(found.argmax(), found.shape) == corner
        assert (found > 0.5).sum() == 1


def test_the_release_describes_the_heat_map(run, tmp_path):
    pooling_network().save(tmp_path / "pooling.keras")
    done = run(tmp_path / "pooling.keras")
    assert done.code == 0, done.error
    assert done.manifest["heatmap"] == {"input": "heatmaps", "output": "heatmap", "rows": 8, "columns": 8}
    proto = onnx.load(done.out / "graph.onnx", load_external_data=False)
    assert [value.name for value in proto.graph.input] == ["input", "heatmaps"]
    assert [value.name for value in proto.graph.output] == ["scores", "heatmap"]
    optimised, *others = sorted(done.manifest["probes"], key=lambda probe: not probe["name"].startswith("optimised-"))
    assert not any("heatmap" in probe for probe in others)
    values = np.array(optimised["heatmap"])
    assert values.shape == (64,)
    assert values.tolist() == [round(value, 4) for value in values.tolist()]
    assert 0 < values.max() <= 1


def test_with_several_labels_the_probe_has_the_plane_of_the_best(run, tmp_path):
    model = softmax_network(16, 24, 3)
    kernel, _ = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel, np.float32([0, 9, 0])])
    model.save(tmp_path / "classes.keras")
    done = run(tmp_path / "classes.keras", "--labels", "a,b,c", "--input-range", "0..255")
    assert done.code == 0, done.error
    assert done.manifest["heatmap"] == {"input": "heatmaps", "output": "heatmap", "rows": 8, "columns": 12}
    (probe,) = (probe for probe in done.manifest["probes"] if "heatmap" in probe)
    assert np.argmax(probe["expected"]) == 1
    assert len(probe["heatmap"]) == 96
    assert min(probe["heatmap"]) > 0.5  # the bias favours this label everywhere


def head_of(*after, pooled=None, last=None):
    photo = keras.Input((16, 16, 3))
    grid = layers.Conv2D(4, 3, padding="same", activation="relu")(photo)
    answer = (pooled or layers.GlobalAveragePooling2D())(grid)
    for layer in after:
        answer = layer(answer)
    return keras.Model(photo, (last or layers.Dense(1, activation="sigmoid"))(answer))


def two_poolings():
    photo = keras.Input((16, 16, 3))
    grid = layers.Conv2D(4, 3, padding="same")(photo)
    gate = layers.Reshape((1, 1, 4))(layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D()(grid)))
    pooled = layers.GlobalAveragePooling2D()(layers.Multiply()([grid, gate]))
    return keras.Model(photo, layers.Dense(1, activation="sigmoid")(pooled))


def bypass():
    photo = keras.Input((16, 16, 3))
    grid = layers.Conv2D(4, 3, padding="same")(photo)
    both = [layers.GlobalAveragePooling2D()(grid), layers.GlobalMaxPooling2D()(grid)]
    return keras.Model(photo, layers.Dense(1, activation="sigmoid")(layers.Concatenate()(both)))


@pytest.mark.parametrize(
    "network",
    [
        lambda: sigmoid_network(16),
        two_poolings,
        bypass,
        lambda: head_of(pooled=layers.GlobalMaxPooling2D()),
        lambda: head_of(layers.Reshape((2, 2)), layers.GlobalAveragePooling1D()),
        lambda: head_of(last=layers.Dense(1, activation="hard_sigmoid")),
    ],
    ids=["dense over the grid", "two poolings", "a path around it", "the maximum", "cells of one vector", "no logit"],
)
def test_networks_without_a_heat_map(network):
    built, grid = converted(network(), 16, 16)
    assert grid is None
    assert not built.has_heatmap


def test_does_not_convert_a_heat_map_that_keras_contradicts(run, tmp_path, monkeypatch):
    pooling_network().save(tmp_path / "pooling.keras")

    def turned(proto):
        """Swap rows and columns, as a wrong layout would."""
        heatmap_graph.add_heatmap(proto)
        (last,) = (node for node in proto.graph.node if node.output[0] == "heatmap/last")
        last.attribute[0].ints[:] = [0, 3, 2, 1]

    monkeypatch.setattr(graph, "add_heatmap", turned)
    refused = run(tmp_path / "pooling.keras")
    assert refused.code == 1
    assert "heat maps of ONNX and Keras differ" in refused.error
    assert not refused.out.exists()


def test_the_proof_uses_an_image_with_a_heat_map_that_is_not_empty(run, tmp_path, monkeypatch):
    """A network that favours one colour has empty maps of everything else, so only an image of it proves anything."""
    hidden, last = layers.Dense(6, activation="relu"), layers.Dense(1, activation="sigmoid")
    model = keras.Sequential(
        [keras.Input((24, 24, 3)), layers.AveragePooling2D(6), layers.GlobalAveragePooling2D(), hidden, last]
    )
    # 8 - 60 (|red - 0.75| + |green - 0.25| + |blue - 0.5|)
    favoured = np.float32([0.75, 0.25, 0.5])
    hidden.set_weights([np.concatenate([np.eye(3), -np.eye(3)], axis=1), np.concatenate([-favoured, favoured])])
    last.set_weights([np.full((6, 1), -60), np.float32([8])])
    model.save(tmp_path / "one-colour.keras")
    network, _ = converted(model, 24, 24)
    assert network.draw_heatmaps(draw_inputs(24, 24)).max() == 0
    done = run(tmp_path / "one-colour.keras")
    assert done.code == 0, done.error

    def fainter(proto):
        heatmap_graph.add_heatmap(proto)
        (sure,) = (tensor for tensor in proto.graph.initializer if tensor.name == "heatmap/sure")
        sure.CopyFrom(onnx.numpy_helper.from_array(np.float32(30), sure.name))

    monkeypatch.setattr(graph, "add_heatmap", fainter)
    refused = run(tmp_path / "one-colour.keras", out="wrong")
    assert refused.code == 1
    assert "heat maps of ONNX and Keras differ" in refused.error
