"""Files of Keras 2 that Keras 3 misreads."""

import json
from pathlib import Path
from typing import Any

import h5py


def mend_keras_2(copy: Path) -> None:
    """Give each Sequential in the .h5 ``copy`` the InputLayer that Keras before 2.4 left out.

    There the first layer carried ``batch_input_shape``; Keras 3 takes that for a shape without the batch, and the
    network gets one dimension too many. Changes the file in place, so give it a copy that has been inspected.
    """
    with h5py.File(copy, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        if _mend(config):
            file.attrs["model_config"] = json.dumps(config)


def _mend(entry: dict[str, Any]) -> bool:
    inner = entry.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else None
    if not isinstance(layers, list):
        return False
    changed = [_mend(layer) for layer in layers if isinstance(layer, dict)]
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
