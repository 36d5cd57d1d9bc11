"""Renames the groups of layers in .keras archives of TensorFlow 2.13 and 2.14 as today's."""

import io
import re

import h5py

# What the groups of a model's layers are called in .keras and .weights.h5 files, and were in TensorFlow 2.13 and 2.14.
LAYERS, OLD_LAYERS = "layers", "_layer_checkpoint_dependencies"
NUMBERED = re.compile(r"(.*?)(?:_([1-9]\d{0,5}))?", re.DOTALL)


def rename_layers(weights: bytes) -> bytes:
    """Return a ``model.weights.h5`` with today's names of groups, the only ones that tf_keras looks for.

    Raises what h5py raises for a damaged file: OSError, RuntimeError, ValueError or KeyError.
    """
    stored = io.BytesIO(weights)
    with h5py.File(stored, "r+") as file:
        groups: list[str] = []
        file.visit(groups.append)
        # From the inside out, so that the path of a group still holds when it is renamed.
        for path in reversed(groups):
            parent, _, name = path.rpartition("/")
            if name == OLD_LAYERS and LAYERS not in file[parent or "/"]:
                _renumber(file[path])
                file.move(path, f"{parent}/{LAYERS}")
    return stored.getvalue()


def _renumber(group: h5py.Group) -> None:
    """Number the layers of each class without gaps: TensorFlow counted those with weights twice."""
    numbered: dict[str, list[int]] = {}
    for name in group:
        base, number = NUMBERED.fullmatch(name).groups()
        numbered.setdefault(base, []).append(int(number or 0))
    for base, numbers in numbered.items():
        for place, number in enumerate(sorted(numbers)):
            if place != number:
                group.move(f"{base}_{number}", f"{base}_{place}")
