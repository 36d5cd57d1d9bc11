"""A file to convert and the command that converts it, shared by the conversion tests."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest

from convert import conversion, convert, junk_gate
from convert.wasm import Isolate
from networks import sigmoid_network
from served import open_files


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(7)


@pytest.fixture(autouse=True)
def _little_junk(monkeypatch) -> None:
    """Tests that are not about junk need only three images of each kind."""
    monkeypatch.setattr(junk_gate, "PICTURES", 48)


@pytest.fixture(autouse=True)
def _native(request, monkeypatch) -> None:
    """Starting Node takes a second, so tests without the mark ``wasm`` run the release in native ONNX Runtime."""

    def run_natively(files: dict[str, bytes], inputs: np.ndarray | None = None) -> tuple[Isolate, np.ndarray]:
        scores = np.empty((0, 0)) if inputs is None else open_files(files).score(inputs)
        return Isolate(20_000_000, 30_000_000, 112_000_000, {"JPEG": 100}), scores

    if not request.node.get_closest_marker("wasm"):
        monkeypatch.setattr(conversion, "try_version", run_natively)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch) -> None:
    """The command forks, which a process with TensorFlow's threads must not; test_limits.py runs it as users do."""
    monkeypatch.setattr(convert, "run_in_child", lambda task: task())


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call of the command."""

    code: int
    out: Path
    output: str
    """What it printed on standard output."""
    error: str
    """Its own lines on standard error; libraries may print others."""

    @property
    def manifest(self) -> dict:
        return json.loads((self.out / "manifest.json").read_text("utf-8"))

    @property
    def digests(self) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.out.iterdir()}


@pytest.fixture
def run(tmp_path, capsys) -> Callable[..., Outcome]:
    """Return a function that runs the convert command on a file, as a user would.

    The networks of the tests are untrained, so junk is allowed unless a test is about it; the labels are of a husky
    unless a test gives others.
    """

    def call(
        file: Path, *arguments: str, out: str = "release", allow_junk: bool = True, labels: bool = True
    ) -> Outcome:
        capsys.readouterr()
        allowed = ["--allow-junk"] if allow_junk else []
        if labels and not {"--labels", "--labels-file"} & set(arguments):
            allowed += ["--labels", "husky,not husky"]
        code = convert.main([str(file), "--out", str(tmp_path / out), *allowed, *arguments])
        printed = capsys.readouterr()
        lines = printed.err.splitlines()
        own = [line for line in lines if line.startswith(("Not converted: ", "Interrupted: "))]
        return Outcome(code, tmp_path / out, printed.out, "\n".join(own))

    return call


@pytest.fixture
def binary_h5(tmp_path) -> Path:
    path = tmp_path / "binary.h5"
    sigmoid_network().save(path, include_optimizer=False)
    return path
