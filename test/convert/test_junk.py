"""Junk images: what they show, and that a model that calls them positive is not written."""

import itertools

import keras
import numpy as np
import pytest

from convert import junk, junk_gate
from networks import softmax_network

layers = keras.layers


def constant(logit: float, size: int = 16) -> keras.Model:
    """Return a network that gives every image the same score."""
    model = keras.Sequential([keras.Input((size, size, 3)), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.layers[-1].set_weights([np.zeros((size * size * 3, 1)), np.array([logit])])
    return model


def fond_of_red() -> keras.Model:
    """Return a network that calls entirely red images positive."""
    model = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.GlobalMaxPooling2D(), layers.Dense(1, activation="sigmoid")]
    )
    model.layers[-1].set_weights([np.float32([[40], [-40], [-40]]), np.float32([-2])])
    return model


def test_the_seed_alone_decides_the_images():
    first = junk.draw_images(40, 7, 24, 20)
    assert np.array_equal(first, junk.draw_images(40, 7, 24, 20))
    assert np.array_equal(first[:5], junk.draw_images(5, 7, 24, 20))
    assert np.array_equal(first, np.concatenate(list(junk.draw_batches(40, 7, 24, 20, size=9))))
    other = junk.draw_images(40, 8, 24, 20)
    assert not any(np.array_equal(one, another) for one, another in zip(first, other, strict=True))


@pytest.mark.parametrize(("width", "height"), [(128, 128), (96, 160), (8, 8), (3, 5)])
def test_images_are_inputs_of_a_network(width, height):
    drawn = junk.draw_images(2 * len(junk.KINDS), 1, width, height)
    assert (drawn.shape, drawn.dtype) == ((2 * len(junk.KINDS), height, width, 3), np.float32)
    assert (drawn.min(), drawn.max()) == (0, 1)
    assert np.abs(drawn * 255 - np.round(drawn * 255)).max() < 1e-4
    assert [junk.kind_of(index) for index in range(len(junk.KINDS))] == list(junk.KINDS)


def test_the_kinds_match_their_names():
    drawn: dict[str, list[np.ndarray]] = {kind: [] for kind in junk.KINDS}
    for index, picture in enumerate(junk.draw_images(10 * len(junk.KINDS), 3, 64, 48)):
        drawn[junk.kind_of(index)].append(picture)
    for picture in drawn["solid colour"]:
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1
    for kind in ("noise", "grey noise"):
        for picture in drawn[kind]:
            assert abs(np.corrcoef(picture[:, 1:].ravel(), picture[:, :-1].ravel())[0, 1]) < 0.1
    for kind in ("smooth noise", "cloud noise", "linear gradient", "radial gradient"):
        for picture in drawn[kind]:
            steps = [np.abs(np.diff(picture, axis=axis)).mean() for axis in (0, 1)]
            assert min(steps) < 0.12, kind
    for picture in drawn["checkerboard"]:
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 2
    for picture in drawn["blank page"]:
        assert np.median(picture) > 0.85
    for picture in drawn["text page"]:
        assert picture.std() > 0.05
    for one, other in itertools.combinations(junk.KINDS, 2):
        assert not np.array_equal(drawn[one][0], drawn[other][0])


def test_does_not_write_a_model_that_calls_junk_positive(run, tmp_path):
    constant(2).save(tmp_path / "yes.keras")
    refused = run(tmp_path / "yes.keras", allow_junk=False)
    assert refused.code == 1
    assert refused.error.startswith("Not converted: 48 of 48 junk images score above 0.5 (")
    assert "--allow-junk" in refused.error
    assert not refused.out.exists()


def test_writes_it_when_allowed_and_the_manifest_says_so(run, tmp_path):
    constant(2).save(tmp_path / "yes.keras")
    done = run(tmp_path / "yes.keras")
    assert done.code == 0, done.error
    assert done.manifest["junk"] == {
        "pictures": 48, "seed": junk.TEST_SEED, "mean": 0.880797, "maximum": 0.880797,
        "failures": dict.fromkeys(sorted(junk.KINDS), 3),
    }  # fmt: skip


def test_one_kind_is_enough_to_fail_and_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr(junk_gate, "PICTURES", 480)
    fond_of_red().save(tmp_path / "red.keras")
    refused = run(tmp_path / "red.keras", allow_junk=False)
    assert refused.code == 1
    assert "solid colour" in refused.error
    assert "block noise" not in refused.error


def test_the_threshold_of_the_model_decides(run, tmp_path):
    constant(0.5).save(tmp_path / "often.keras")
    assert run(tmp_path / "often.keras", "--threshold", "0.6", allow_junk=False).code == 1
    done = run(tmp_path / "often.keras", "--threshold", "0.7", allow_junk=False)
    assert done.code == 0, done.error
    assert done.manifest["junk"]["failures"] == {}
    assert done.manifest["junk"]["maximum"] == pytest.approx(0.622459, abs=1e-6)


def test_a_classifier_with_several_labels_is_measured_but_not_refused(run, tmp_path):
    softmax_network(16, 16, 3).save(tmp_path / "three.keras")
    done = run(tmp_path / "three.keras", "--labels", "a,b,c", "--input-range", "0..255", allow_junk=False)
    assert done.code == 0, done.error
    result = done.manifest["junk"]
    assert result["failures"] == {}
    assert 1 / 3 < result["mean"] < result["maximum"] <= 1


def test_the_default_is_a_thousand_images(monkeypatch):
    monkeypatch.undo()
    assert junk_gate.PICTURES == 1000
