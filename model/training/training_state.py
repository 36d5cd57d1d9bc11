"""The state of a training in a file, so that an interrupted one continues."""

import json
from pathlib import Path

import keras
import numpy as np

History = dict[str, list[float]]


def save_state(path: Path, model: keras.Model, optimizer: keras.Optimizer, history: History) -> None:
    """Write the weights of ``model``, the variables of ``optimizer`` (averages included) and the ``history`` so far.

    The file replaces the previous one at once: a kill at any moment leaves one of the two.
    """
    scratch = path.with_suffix(".scratch.npz")
    with scratch.open("wb") as file:
        np.savez(
            file,
            history=np.array(json.dumps(history)),
            **{f"weight_{place}": value for place, value in enumerate(model.get_weights())},
            **{f"optimizer_{place}": value.numpy() for place, value in enumerate(optimizer.variables)},
        )
    scratch.replace(path)


def restore_state(path: Path, model: keras.Model, optimizer: keras.Optimizer) -> History:
    """Set ``model`` and the built ``optimizer`` to the state in ``path`` and return the history."""
    with np.load(path) as state:
        model.set_weights([state[f"weight_{place}"] for place in range(len(model.weights))])
        for place, variable in enumerate(optimizer.variables):
            variable.assign(state[f"optimizer_{place}"])
        return json.loads(str(state["history"]))
