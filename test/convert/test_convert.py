"""The convert command: what it writes, that it is reproducible, and that a failure writes nothing."""

import base64
import hashlib
import json
import os
import subprocess
import sys

import keras
import numpy as np
import onnx
import pytest

from convert import conversion, convert, probes
from convert.contract import Contract
from convert.errors import ConversionError
from convert.graph import to_onnx
from networks import sigmoid_network, softmax_network
from served import open_release


def rebuild(probe: dict, height: int, width: int) -> np.ndarray:
    """Return the image of a probe, by the definition of the format and independent of the code under test."""
    if probe["kind"] == "noise":
        return np.uint8([u * 256 // 2**32 for u in mulberry32(probe["seed"], height * width * 3)]).reshape(
            height, width, 3
        )
    rows, columns = probe["rows"], probe["columns"]
    content = base64.b64decode(probe["rgb"])
    image = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            at = ((y * rows // height) * columns + x * columns // width) * 3
            image[y, x] = list(content[at : at + 3])
    return image


def mulberry32(seed: int, count: int) -> list[int]:
    state, drawn = seed, []
    for _ in range(count):
        state = (state + 0x6D2B79F5) % 2**32
        t = (state ^ (state >> 15)) * (state | 1) % 2**32
        t ^= (t + (t ^ (t >> 7)) * (t | 61)) % 2**32
        drawn.append(t ^ (t >> 14))
    return drawn


def score(release, pixels: np.ndarray) -> np.ndarray:
    return open_release(release).score((pixels / 255.0).astype(np.float32))


def test_mulberry32_equals_its_javascript_form():
    assert probes.mulberry32(1, 3).tolist() == [2693262067, 11749833, 2265367787]
    assert probes.mulberry32(2, 3).tolist() == [3153583793, 1395857638, 1225337227]
    assert probes.mulberry32(2**32 - 5, 50).tolist() == mulberry32(2**32 - 5, 50)


def test_a_binary_h5_becomes_a_release(run, binary_h5):
    done = run(binary_h5)
    assert (done.code, done.error) == (0, "")
    assert sorted(done.digests) == ["graph.onnx", "manifest.json", "weights.bin"]
    manifest = done.manifest
    assert list(manifest) == [
        "format", "name", "input", "output", "heatmap", "labels", "threshold", "runtime", "files", "weights",
        "source", "tools", "parity", "junk", "metrics", "probes",
    ]  # fmt: skip
    assert manifest["format"] == "husky-ai/manifest/2"
    assert manifest["name"] == "binary"
    assert manifest["input"] == {
        "name": "input", "width": 24, "height": 24, "layout": "NHWC", "color": "RGB", "dtype": "float32",
        "range": [0, 1], "resampling": "bicubic", "resize": "squeeze",
    }  # fmt: skip
    assert manifest["output"] == {"name": "scores", "activation": "sigmoid", "size": 1}
    assert manifest["labels"] == ["husky", "not husky"]
    assert manifest["threshold"] == 0.5
    assert manifest["parity"] == {"inputs": 64, "tolerance": 1e-04}
    assert manifest["metrics"] is None
    assert set(manifest["tools"]) == {"keras", "numpy", "onnx", "onnxruntime", "python", "tensorflow", "tf2onnx"}
    assert manifest["runtime"] == {
        "name": "onnxruntime-web", "version": manifest["tools"]["onnxruntime"], "memory": 20_000_000,
    }  # fmt: skip
    assert sorted(manifest["files"]) == ["graph.onnx", "weights.bin"]
    for described, path in (
        (manifest["files"]["graph.onnx"], done.out / "graph.onnx"),
        (manifest["files"]["weights.bin"], done.out / "weights.bin"),
        (manifest["source"], binary_h5),
    ):
        content = path.read_bytes()
        assert described["bytes"] == len(content)
        assert described["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["source"]["file"] == "binary.h5"


def test_the_graph_is_plain_onnx_with_a_free_batch():
    proto = to_onnx(sigmoid_network(), Contract(24, 24, 1, "sigmoid"))
    onnx.checker.check_model(proto, full_check=True)
    assert [entry.domain for entry in proto.opset_import] == [""]
    check_interface(proto)


def test_the_optimised_graph_may_also_have_operators_of_onnx_runtime(run, binary_h5):
    proto = onnx.load(run(binary_h5).out / "graph.onnx", load_external_data=False)
    assert [entry.domain for entry in proto.opset_import] == ["", "com.microsoft"]
    assert "FusedConv" in {node.op_type for node in proto.graph.node}
    check_interface(proto)


def check_interface(proto):
    assert [(value.name, value.type.tensor_type.elem_type) for value in proto.graph.input] == [("input", 1)]
    assert [(value.name, value.type.tensor_type.elem_type) for value in proto.graph.output] == [("scores", 1)]
    dimensions = proto.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dimensions] == ["N", 24, 24, 3]
    assert (proto.producer_name, proto.producer_version, proto.doc_string) == ("husky-ai", "", "")
    assert not proto.metadata_props


@pytest.mark.wasm
def test_gives_the_same_bytes_whatever_the_hash_seed_and_the_processor(tmp_path):
    """The hash seed decides the order of the sets tf2onnx iterates over, and the processor whether oneDNN runs."""
    model = tmp_path / "model.keras"
    softmax_network(40, 56, 5).save(model)
    processes = []
    for switch in ("0", "1"):
        command = [sys.executable, "-m", "convert.convert", model, "--labels", "a,b,c,d,e", "--out", tmp_path / switch]
        command += ["--weights", "float16"]
        variables = {"PYTHONHASHSEED": switch, "TF_ENABLE_ONEDNN_OPTS": switch, "PYTHONPATH": str(convert.ROOT)}
        processes.append(subprocess.Popen(command, env=os.environ | variables))
    assert [process.wait() for process in processes] == [0, 0]
    for name in ("manifest.json", "graph.onnx", "weights.bin"):
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "1" / name).read_bytes()


def test_a_second_conversion_gives_the_same_bytes(run, binary_h5):
    assert run(binary_h5).digests == run(binary_h5, out="again").digests


def test_a_softmax_keras_file_of_another_size_and_range(run, tmp_path):
    path = tmp_path / "classes.keras"
    model = softmax_network(40, 56, 5)
    model.save(path)
    labels = ["husky", "malamute", "dingo", "wolf", "cat"]
    done = run(
        path, "--labels", ",".join(labels), "--input-range", "0..255", "--resampling", "bilinear", "--name", "five"
    )
    assert done.code == 0, done.error
    manifest = done.manifest
    assert manifest["labels"] == labels
    assert manifest["threshold"] is None
    assert manifest["output"] == {"name": "scores", "activation": "softmax", "size": 5}
    assert (manifest["input"]["width"], manifest["input"]["height"]) == (56, 40)
    assert manifest["input"]["resampling"] == "bilinear"
    assert manifest["input"]["range"] == [0, 1]
    pixels = np.random.default_rng(1).integers(0, 256, (3, 40, 56, 3), np.uint8)
    expected = keras.ops.convert_to_numpy(model(pixels.astype(np.float32)))
    assert np.abs(score(done.out, pixels) - expected).max() < 1e-5
    assert all(len(probe["expected"]) == 5 for probe in manifest["probes"])


def test_the_range_minus_one_to_one_is_part_of_the_graph(run, binary_h5):
    done = run(binary_h5, "--input-range=-1..1")
    assert done.code == 0, done.error
    pixels = np.random.default_rng(1).integers(0, 256, (3, 24, 24, 3), np.uint8)
    model = keras.models.load_model(binary_h5, compile=False)
    expected = keras.ops.convert_to_numpy(model(np.float32(pixels / 127.5 - 1)))
    assert np.abs(score(done.out, pixels) - expected).max() < 1e-5


def test_rebuilt_probes_score_as_written(run, binary_h5):
    done = run(binary_h5)
    found = {probe["name"]: probe for probe in done.manifest["probes"]}
    assert list(found) == ["optimised-husky", "flat-colours", "noise-1"]
    for probe in found.values():
        answer = score(done.out, rebuild(probe, 24, 24)[None])[0]
        assert np.abs(answer - probe["expected"]).max() < 1e-6
    assert found["optimised-husky"]["expected"][0] > 0.9


def test_the_probe_that_differs_most_from_the_others_is_the_first(run, tmp_path):
    """This network scores 1 for what is dark, and the probe in many colours is the darkest: flat-colours differs."""
    model = keras.Sequential(
        [keras.Input((24, 24, 3)), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    )
    # Only the left quarter of the upper half counts, which is white in flat-colours alone.
    corner = np.zeros((24, 24, 3))
    corner[:12, :6] = -0.1
    model.layers[-1].set_weights([corner.reshape(-1, 1), np.float32([11])])
    model.save(tmp_path / "dark.keras")
    probes = run(tmp_path / "dark.keras").manifest["probes"]
    assert [probe["name"] for probe in probes] == ["flat-colours", "noise-1", "optimised-husky"]
    assert probes[0]["expected"][0] < 0.1
    assert min(probe["expected"][0] for probe in probes[1:]) > 0.5


def test_a_finer_grid_is_tried_where_a_coarse_one_cannot_score(run, tmp_path):
    """This network measures how much the two pixels of each pair differ; 32 cells on 64 pixels make them equal."""
    pairs = keras.layers.Conv2D(1, (1, 2), strides=(1, 2), use_bias=False, activation="relu")
    model = keras.Sequential(
        [keras.Input((64, 64, 3)), pairs, keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    )
    pairs.set_weights([np.float32([1] * 3 + [-1] * 3).reshape(1, 2, 3, 1)])
    model.layers[-1].set_weights([np.full((64 * 32, 1), 0.01), np.float32([-4])])
    model.save(tmp_path / "pairs.keras")
    found = {probe["name"]: probe for probe in run(tmp_path / "pairs.keras").manifest["probes"]}
    assert found["flat-colours"]["expected"][0] < 0.02
    optimised = found["optimised-husky"]
    assert (optimised["rows"], optimised["columns"]) == (64, 64)
    assert optimised["expected"][0] > 0.9


def test_the_decisive_probe_of_the_committed_release_scores_as_husky():
    manifest = json.loads((convert.ROOT / "model/release/manifest.json").read_text("utf-8"))
    assert manifest["probes"][0]["name"] == "optimised-husky"
    assert manifest["probes"][0]["expected"][0] > 0.5


def test_includes_metrics_of_the_same_file_only(run, binary_h5):
    validation = dict.fromkeys(("auc", "accuracy", "balanced_accuracy", "precision", "recall"), 0.75) | {"photos": 9}
    metrics = {"source": {"sha256": hashlib.sha256(binary_h5.read_bytes()).hexdigest()}, "validation": validation}
    beside = binary_h5.with_name("metrics.json")
    beside.write_text(json.dumps(metrics))
    assert run(binary_h5).manifest["metrics"] == {"validation": validation}
    beside.write_text(json.dumps(metrics | {"source": {"sha256": "0" * 64}}))
    assert run(binary_h5).manifest["metrics"] is None


def test_a_keras_2_file_is_converted(run, tmp_path, binary_h5):
    old = keras_2_form(binary_h5, tmp_path / "old.h5")
    done = run(old)
    assert done.code == 0, done.error
    pixels = np.random.default_rng(1).integers(0, 256, (3, 24, 24, 3), np.uint8)
    expected = keras.models.load_model(binary_h5, compile=False)(np.float32(pixels / 255.0))
    assert np.abs(score(done.out, pixels) - keras.ops.convert_to_numpy(expected)).max() < 1e-5


def keras_2_form(source, target):
    """Write ``source`` as Keras 2.3 would: no modules, no InputLayer, the input shape on the first layer."""
    import h5py

    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        shape = layers.pop(0)["config"]["batch_shape"]
        for layer in layers:
            for key in ("module", "registered_name", "build_config"):
                layer.pop(key, None)
            config = layer["config"]
            config["dtype"] = "float32"
            config.pop("quantization_config", None)
            for key, value in config.items():
                if isinstance(value, dict):
                    inner = {name: part for name, part in value["config"].items() if not name.endswith("put_axes")}
                    config[key] = {"class_name": value["class_name"], "config": inner}
        layers[0]["config"]["batch_input_shape"] = shape
        config = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["keras_version"] = b"2.3.1"
        del file["model_weights"].attrs["keras_version"]
    return target


@pytest.fixture
def released(run, binary_h5):
    done = run(binary_h5)
    return done.digests


def test_does_not_write_a_graph_with_other_scores(run, binary_h5, released, monkeypatch):
    honest = conversion.to_onnx

    def tampered(*arguments):
        proto = honest(*arguments)
        bias = next(tensor for tensor in reversed(proto.graph.initializer) if tensor.data_type == 1)
        values = onnx.numpy_helper.to_array(bias) + np.float32(0.001)
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
        return proto

    monkeypatch.setattr(conversion, "to_onnx", tampered)
    failed = run(binary_h5)
    assert failed.code == 1
    assert failed.error.startswith("Not converted: ONNX and Keras differ: by ")
    assert failed.digests == released
    assert not run(binary_h5, out="fresh").out.exists()


def test_an_interrupt_keeps_the_previous_release(run, binary_h5, released, monkeypatch, tmp_path):
    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(conversion, "optimise_probe", interrupted)
    failed = run(binary_h5, "--name", "another")
    assert failed.code == 130
    assert failed.digests == released
    assert sorted(path.name for path in tmp_path.iterdir()) == ["binary.h5", "release"]


def test_does_not_replace_a_folder_with_other_files(run, binary_h5, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    refused = run(binary_h5, out="home")
    assert refused.code == 1
    assert "letter.txt" in refused.error
    assert [path.name for path in refused.out.iterdir()] == ["letter.txt"]


def test_a_new_release_removes_the_old_signature(run, binary_h5, released):
    assert released
    done = run(binary_h5)
    (done.out / "model.sig").write_text("of the old manifest")
    assert sorted(run(binary_h5, "--threshold", "0.7").digests) == ["graph.onnx", "manifest.json", "weights.bin"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--labels", "husky"], "needs 2 labels (positive, negative), given 1: husky"),
        (["--labels", "a,b,c"], "needs 2 labels (positive, negative), given 3: a, b, c"),
    ],
)
def test_refuses_a_wrong_number_of_labels(run, binary_h5, arguments, reason):
    refused = run(binary_h5, *arguments)
    assert refused.code == 1
    assert reason in refused.error
    assert not refused.out.exists()


def test_refuses_a_threshold_for_a_softmax(run, tmp_path):
    softmax_network(24, 24, 3).save(tmp_path / "three.keras")
    refused = run(tmp_path / "three.keras", "--labels", "a,b,c", "--threshold", "0.5")
    assert refused.code == 1
    assert "--threshold" in refused.error


@pytest.mark.parametrize(
    "arguments",
    [
        ["--name", "No Spaces"],
        ["--labels", "husky,"],
        ["--labels", "husky,husky"],
        ["--threshold", "1.5"],
        ["--input-range", "0..2"],
    ],
)
def test_unusable_options_are_a_usage_error(run, binary_h5, arguments):
    with pytest.raises(SystemExit) as stopped:
        run(binary_h5, *arguments)
    assert stopped.value.code == 2


def test_reports_a_missing_file(run, tmp_path):
    refused = run(tmp_path / "none.h5")
    assert refused.code == 1
    assert refused.error.startswith("Not converted: cannot read ")


def test_reports_every_reason_in_one_line(run, binary_h5, monkeypatch, capsys):
    def refuse(*_given):
        raise ConversionError("of two\nlines")

    monkeypatch.setattr(convert, "inspect_file", refuse)
    assert run(binary_h5).error == "Not converted: of two lines"
    assert convert.main([str(binary_h5), "--out", str(binary_h5.with_name("release"))]) == 1
    assert capsys.readouterr().err == "Not converted: of two lines\n"


def test_a_network_that_never_scores_positive_still_gets_probes(run, tmp_path):
    model = sigmoid_network()
    model.layers[-1].set_weights([np.zeros((8, 1)), np.array([-3.0])])
    model.save(tmp_path / "never.keras")
    done = run(tmp_path / "never.keras")
    assert done.code == 0, done.error
    assert [probe["expected"] for probe in done.manifest["probes"]] == [[pytest.approx(0.047426, abs=1e-5)]] * 3
