"""Long computations in parts that are kept, so that an interrupted one continues."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np


def compute_in_parts(
    kept: Path, total: int, step: int, compute: Callable[[slice], np.ndarray], progress: bool = False
) -> np.ndarray:
    """Return ``compute`` of slices of ``total`` items, concatenated, as a read-only float16 array mapped from ``kept``.

    The file is written once: the next call only opens it, and a call after an interruption computes the parts of
    ``step`` items that are missing.
    """
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        bar = keras.utils.Progbar(total, verbose=1 if progress else 0, unit_name="item")
        parts = {start: kept.with_suffix(f".{start}.npy") for start in range(0, total, step)}
        for start, part in parts.items():
            if not part.is_file():
                _save(part, compute(slice(start, min(start + step, total))))
            bar.update(min(start + step, total))
        _save(kept, np.concatenate([np.load(part, mmap_mode="r") for part in parts.values()]))
        for part in parts.values():
            part.unlink()
    return np.load(kept, mmap_mode="r")


def _save(path: Path, values: np.ndarray) -> None:
    """Write ``values`` as float16; an interruption leaves no incomplete file under this name."""
    scratch = path.with_suffix(".scratch.npy")
    np.save(scratch, values.astype(np.float16, copy=False))
    scratch.replace(path)
