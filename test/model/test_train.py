"""The train command from scratch, end to end on drawn shapes."""

import hashlib
import json

import h5py
import keras
import numpy as np
import pytest

from draw_shapes import draw_folder
from model.training import classic, train
from model.training.evaluation import evaluate


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    draw_folder(folder, count=8, size=48)
    return folder


def run(data, out, seed=5):
    quick = ["--network", "small", "--size", "32", "--batch-size", "8", "--epochs", "2"]
    return train.main(["--data", str(data), "--out", str(out), "--seed", str(seed), *quick])


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    assert run(data, out) == 0
    return out


def weights_of(out):
    return np.concatenate(
        [w.ravel() for w in keras.models.load_model(out / "huskymodel.h5", compile=False).get_weights()]
    )


def test_writes_model_metrics_and_plots_and_nothing_else(trained):
    files = sorted(str(path.relative_to(trained)) for path in trained.rglob("*") if path.is_file())
    assert files == [
        "huskymodel.h5",
        "metrics.json",
        *(f"plots/{name}.svg" for name in ("confusion", "curves", "groups", "reliability", "roc")),
    ]
    for plot in (trained / "plots").iterdir():
        assert plot.read_text("utf-8").rstrip().endswith("</svg>")
        assert plot.stat().st_size < 100_000


def test_the_model_file_has_weights_but_no_training_state(trained):
    with h5py.File(trained / "huskymodel.h5") as file:
        assert set(file) == {"model_weights"}
        assert "training_config" not in file.attrs
        assert "model_config" in file.attrs


def test_the_metrics_describe_that_file(trained):
    metrics = json.loads((trained / "metrics.json").read_text())
    content = (trained / "huskymodel.h5").read_bytes()
    assert metrics["source"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert metrics["data"] == {
        "training": {"husky": 8, "nothusky": 8},
        "validation": {"husky": 4, "nothusky": 4},
    }
    assert sum(metrics["baseline"]["scores"]) == metrics["validation"]["photos"]
    assert metrics["training"]["epochs"] == len(metrics["history"]["val_auc"]) == 2
    best = metrics["training"]["best_epoch"]
    assert metrics["history"]["val_auc"][best - 1] == max(metrics["history"]["val_auc"])
    assert metrics["validation"]["auc"] == pytest.approx(metrics["history"]["val_auc"][best - 1], abs=0.05)
    assert sum(metrics["validation"]["confusion"].values()) == metrics["validation"]["photos"] == 8


def test_the_same_seed_gives_the_same_weights(data, trained, tmp_path):
    assert run(data, tmp_path / "again") == 0
    assert np.array_equal(weights_of(trained), weights_of(tmp_path / "again"))
    assert (trained / "metrics.json").read_bytes() == (tmp_path / "again/metrics.json").read_bytes()
    assert run(data, tmp_path / "other", seed=6) == 0
    assert not np.array_equal(weights_of(trained), weights_of(tmp_path / "other"))


def test_an_interrupt_keeps_the_previous_model(data, tmp_path, monkeypatch, capsys):
    (tmp_path / "huskymodel.h5").write_bytes(b"yesterday's")

    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(classic, "fit", interrupted)
    assert run(data, tmp_path) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["huskymodel.h5"]
    assert "nothing was written" in capsys.readouterr().err


def test_reports_unusable_data(tmp_path, capsys):
    assert run(tmp_path, tmp_path / "out") == 1
    assert "Not trained: no folder 'training' in the data folder" in capsys.readouterr().err.splitlines()
    assert not (tmp_path / "out").exists()


def test_evaluation_of_a_known_case():
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.6, 0.5, 0.1, 0.1, 0.1, 0.1])
    found = evaluate(labels, scores)
    assert found["confusion"] == {"true_positive": 3, "false_negative": 1, "false_positive": 1, "true_negative": 5}
    assert (found["accuracy"], found["precision"], found["recall"]) == (0.8, 0.75, 0.75)
    assert found["balanced_accuracy"] == pytest.approx((3 / 4 + 5 / 6) / 2, abs=1e-4)
    assert found["auc"] == pytest.approx((6 * 3 + 4) / 24, abs=1e-4)
