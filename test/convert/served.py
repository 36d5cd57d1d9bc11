"""Reads a release by the definition of its format, independent of the code under test."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from convert.onnx_network import OnnxNetwork

TYPES = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}


def read_tensors(manifest: dict, weights: bytes) -> dict[str, np.ndarray]:
    """Return the content of weights.bin, and check that the manifest describes all of it."""
    tensors, end = {}, 0
    for entry in manifest["weights"]:
        assert entry["offset"] == end
        dtype, count = TYPES[entry["dtype"]], int(np.prod(entry["shape"]))
        tensors[entry["name"]] = np.frombuffer(weights, dtype, count, end).reshape(entry["shape"])
        end += count * dtype.itemsize
    assert end == len(weights)
    assert len(tensors) == len(manifest["weights"])
    return tensors


def open_files(files: Mapping[str, bytes]) -> OnnxNetwork:
    """Return the network of a release (file name to content), its weights widened to float32."""
    tensors = read_tensors(json.loads(files["manifest.json"]), files["weights.bin"])
    return OnnxNetwork(files["graph.onnx"], b"".join(tensor.astype("<f4").tobytes() for tensor in tensors.values()))


def open_release(folder: Path) -> OnnxNetwork:
    """Return the network of the release in ``folder``."""
    return open_files({path.name: path.read_bytes() for path in folder.iterdir()})
