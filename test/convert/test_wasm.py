"""The Worker's own ONNX Runtime runs each release before it is written."""

import json
import re
from importlib.metadata import version

import keras
import numpy as np
import pytest
from onnx import helper, numpy_helper

from convert import conversion, heatmap_graph, wasm
from convert.contract import Contract
from convert.graph import to_onnx
from convert.heatmap import keras_heatmap
from convert.onnx_network import OnnxNetwork
from convert.optimisation import optimise
from networks import softmax_network

layers = keras.layers


def test_python_has_the_onnx_runtime_of_the_worker():
    package = json.loads((wasm.ROOT / "package.json").read_text("utf-8"))
    pinned = re.search(r"^onnxruntime==(\S+)$", (wasm.ROOT / "requirements/model.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned[1] == package["dependencies"]["onnxruntime-web"]
    assert version("onnxruntime") == pinned[1]


def labelled(tmp_path):
    """A network with several labels and a heat map."""
    path = tmp_path / "classes.keras"
    softmax_network(16, 24, 3).save(path)
    return path, "--labels", "a,b,c", "--input-range", "0..255"


@pytest.mark.wasm
def test_measures_what_a_network_with_a_heat_map_takes(run, tmp_path):
    done = run(*labelled(tmp_path))
    assert done.code == 0, done.error
    runtime = done.manifest["runtime"]
    assert runtime["name"] == "onnxruntime-web"
    assert 10_000_000 < runtime["memory"] < 40_000_000
    assert f"takes {runtime['memory'] / 1e6:.1f} MB of an isolate's " in done.output
    assert re.search(r"photos beside it: JPEG up to \d+\.\d MP, progressive JPEG up to \d+\.\d MP", done.output)


@pytest.mark.wasm
def test_refuses_a_graph_that_traps_in_wasm(run, tmp_path, monkeypatch):
    """Native ONNX Runtime computes TopK of no rows; the wasm build divides by zero."""

    def add_top(graph, logits):
        graph.initializer.append(numpy_helper.from_array(np.array([2], np.int64), "heatmap/two"))
        graph.node.append(helper.make_node("TopK", [logits, "heatmap/two"], ["heatmap/top", "heatmap/places"], axis=1))
        graph.node.append(helper.make_node("ReduceMax", ["heatmap/top"], ["heatmap/best"], axes=[1]))
        graph.node.append(helper.make_node("Sub", [logits, "heatmap/best"], ["heatmap/margin"]))
        return "heatmap/margin"

    monkeypatch.setattr(heatmap_graph, "_add_margins", add_top)
    refused = run(*labelled(tmp_path))
    assert refused.code == 1
    assert refused.error.startswith("Not converted: the Worker cannot serve it: ")
    assert not refused.out.exists()


@pytest.mark.wasm
def test_refuses_a_model_that_is_too_large_with_the_numbers(run, tmp_path):
    wide = layers.Dense(3300, use_bias=False, kernel_initializer="zeros")
    keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), wide, layers.Dense(1, activation="sigmoid")]).save(
        tmp_path / "wide.keras"
    )
    refused = run(tmp_path / "wide.keras")
    assert refused.code == 1
    bytes_needed, bytes_allowed = (int(number) for number in re.findall(r"\d{8,}", refused.error))
    assert 40_550_400 < bytes_needed < 40_600_000  # 3072 * 3300 * 4, and the graph
    assert bytes_allowed < bytes_needed
    assert not refused.out.exists()


def test_compares_the_wasm_build_with_keras(run, binary_h5, monkeypatch):
    honest = conversion.try_version

    def tampered(files, inputs=None):
        isolate, scores = honest(files, inputs)
        return isolate, scores + 2e-5

    monkeypatch.setattr(conversion, "try_version", tampered)
    refused = run(binary_h5)
    assert refused.code == 1
    assert "ONNX and Keras differ" in refused.error
    assert "in wasm" in refused.error


def test_runs_the_final_version_before_writing_it(run, binary_h5, monkeypatch):
    tried = []
    honest = conversion.try_version

    def watched(files, inputs=None):
        tried.append(files)
        return honest(files, inputs)

    monkeypatch.setattr(conversion, "try_version", watched)
    done = run(binary_h5)
    assert tried[-1] == {path.name: path.read_bytes() for path in done.out.iterdir()}


@pytest.mark.wasm
def test_reports_a_missing_node_in_one_line(run, binary_h5, monkeypatch):
    monkeypatch.setattr(wasm, "COMMAND", ("no-such-program",))
    refused = run(binary_h5)
    assert refused.code == 1
    assert refused.error.startswith("Not converted: cannot start Node.js")


def test_large_inputs_are_fewer_in_wasm():
    counts = [len(conversion.choose_wasm_inputs(Contract(side, side, 1, "sigmoid"))) for side in (24, 160, 224, 1024)]
    assert counts == [64, 64, 32, 8]
    assert len(set(conversion.choose_wasm_inputs(Contract(224, 224, 1, "sigmoid")))) == 32


def test_equal_labels_have_no_evidence():
    """As in Keras's map, neither of two equal best labels has a margin over the other."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.AveragePooling2D(4),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.layers[-1].set_weights([np.float32([[1, 1, 0], [0, 0, 5], [3, 0, 0]]), np.zeros(3)])
    graph = to_onnx(model, Contract(8, 8, 3, "softmax"))
    network = OnnxNetwork(optimise(graph).SerializeToString())
    photos = np.float32([np.broadcast_to(colour, (8, 8, 3)) for colour in np.eye(3)])
    photos = np.concatenate([photos, np.zeros((1, 8, 8, 3), np.float32)])
    expected = keras_heatmap(model, Contract(8, 8, 3, "softmax"), "0..1", photos, 2, 2)
    assert expected[0].max() == expected[3].max() == 0
    assert np.abs(network.draw_heatmaps(photos) - expected).max() < 1e-6
