"""The form of release 0.1, which the benchmarks compare with."""

import json

import numpy as np
import onnx
import pytest

from bench.old_form import write_old_form
from convert.onnx_network import OnnxNetwork
from served import open_release


def test_the_old_form_has_the_same_scores_in_one_file(run, binary_h5, tmp_path):
    done = run(binary_h5, "--weights", "float16")
    write_old_form(done.out, binary_h5, tmp_path / "old")
    assert sorted(path.name for path in (tmp_path / "old").iterdir()) == ["manifest.json", "model.onnx"]
    content = (tmp_path / "old/model.onnx").read_bytes()
    stored = {tensor.data_type for tensor in onnx.load_from_string(content).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in stored
    photos = np.random.default_rng(1).random((4, 24, 24, 3)).astype(np.float32)
    assert np.abs(OnnxNetwork(content).score(photos) - open_release(done.out).score(photos)).max() < 1e-6
    manifest = json.loads((tmp_path / "old/manifest.json").read_text("utf-8"))
    assert (manifest["format"], manifest["weights"]) == ("husky-ai/manifest/1", "float16")
    assert manifest["files"]["model.onnx"]["bytes"] == len(content)
    assert "runtime" not in manifest
    assert manifest["probes"] == done.manifest["probes"][:2]


def test_refuses_a_release_of_another_file(run, binary_h5, tmp_path):
    done = run(binary_h5)
    other = tmp_path / "other.h5"
    other.write_bytes(b"another file")
    with pytest.raises(SystemExit, match="was not converted from"):
        write_old_form(done.out, other, tmp_path / "old")
