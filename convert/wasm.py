"""Runs a version in the Worker's own build of ONNX Runtime, onnxruntime-web, in Node."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.contract import SMALLER
from convert.errors import ConversionError

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ("node", "registry/try.ts")
MEGABYTE = 1e6


@dataclass(frozen=True)
class Isolate:
    """What a model takes in an isolate of the Worker, in bytes.

    ``memory`` is ONNX Runtime's, ``loading`` the peak while the model loads, ``available`` what an isolate has for the
    model and photos. ``photos`` are the largest that fit beside the model, in megapixels, by format.
    """

    memory: int
    loading: int
    available: int
    photos: dict[str, float]

    def __str__(self) -> str:
        photos = ", ".join(f"{format_name} up to {size:.1f} MP" for format_name, size in self.photos.items())
        return (
            f"takes {self.memory / MEGABYTE:.1f} MB of an isolate's {self.available / MEGABYTE:.1f} MB, "
            f"{self.loading / MEGABYTE:.1f} MB while it loads; photos beside it: {photos}"
        )


def try_version(files: dict[str, bytes], inputs: np.ndarray | None = None) -> tuple[Isolate, np.ndarray]:
    """Run the version ``files`` (name to content) with its probes and ``inputs`` (N, H, W, C) float32 in [0, 1].

    Returns what it takes, and the scores (N, size) of ``inputs``. Raises ``ConversionError`` if the version does not
    fit into an isolate, if ONNX Runtime cannot run it, or if a probe's result differs from what it expects.
    """
    with tempfile.TemporaryDirectory(prefix="husky-try-") as scratch:
        folder, given, found = (Path(scratch, name) for name in ("version", "inputs", "outputs"))
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        arguments = [str(folder)]
        if inputs is not None:
            given.write_bytes(np.ascontiguousarray(inputs, "<f4").tobytes())
            arguments += ["--inputs", str(given), "--outputs", str(found)]
        try:
            done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        except OSError as error:
            raise ConversionError(
                f"cannot start Node.js: {error.strerror}; run it with npm run model:convert"
            ) from error
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            advice = f"; {SMALLER}" if "too large" in reason else ""
            raise ConversionError(f"the Worker cannot serve it: {reason.removeprefix('Refused: ')[:500]}{advice}")
        isolate = Isolate(**json.loads(done.stdout))
        if inputs is None:
            return isolate, np.empty((0, 0), np.float32)
        return isolate, np.fromfile(found, "<f4").reshape(len(inputs), -1)
