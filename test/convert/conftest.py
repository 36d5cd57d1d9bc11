"""A file to convert and a way to convert it, shared by the conversion tests."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import pytest

import convert
from networks import sigmoid_network


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(7)


@dataclass(frozen=True)
class Outcome:
    """What one call of the command did."""

    code: int
    out: Path
    error: str

    @property
    def manifest(self) -> dict:
        return json.loads((self.out / "manifest.json").read_text("utf-8"))

    @property
    def digests(self) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.out.iterdir()}


@pytest.fixture
def run(tmp_path, capsys) -> Callable[..., Outcome]:
    """Return a function that runs the convert command on a file, as a user would."""

    def call(file: Path, *arguments: str, out: str = "release") -> Outcome:
        capsys.readouterr()
        code = convert.main([str(file), "--out", str(tmp_path / out), *arguments])
        return Outcome(code, tmp_path / out, capsys.readouterr().err)

    return call


@pytest.fixture
def binary_h5(tmp_path) -> Path:
    path = tmp_path / "binary.h5"
    sigmoid_network().save(path, include_optimizer=False)
    return path
