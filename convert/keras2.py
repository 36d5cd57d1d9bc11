"""Repairs files of Keras 2 that Keras 3 misreads."""

import json
from pathlib import Path
from typing import Any

import h5py


def add_input_layers(copy: Path) -> None:
    """Give each Sequential in the .h5 file ``copy`` the InputLayer that Keras before 2.4 left out, in place.

    There the first layer held ``batch_input_shape``, which Keras 3 reads as a shape without the batch, so that the
    network gets one dimension too many. Pass an inspected copy of the user's file.
    """
    with h5py.File(copy, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        if _add_to(config):
            file.attrs["model_config"] = json.dumps(config)


def _add_to(entry: dict[str, Any]) -> bool:
    inner = entry.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else None
    if not isinstance(layers, list):
        return False
    changed = [_add_to(layer) for layer in layers if isinstance(layer, dict)]
    first = layers[0] if layers and isinstance(layers[0], dict) else {}
    own = first.get("config")
    if entry.get("class_name") != "Sequential" or first.get("class_name") == "InputLayer" or not isinstance(own, dict):
        return any(changed)
    shape = own.pop("batch_input_shape", None)
    if shape is None:
        return any(changed)
    name = f"{own.get('name', 'first')}_input"
    layers.insert(0, {"class_name": "InputLayer", "config": {"batch_shape": shape, "dtype": "float32", "name": name}})
    return True
