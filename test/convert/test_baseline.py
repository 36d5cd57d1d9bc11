"""The baseline: how it is counted, read, and carried by the manifest."""

import hashlib
import json

import numpy as np
import pytest

from convert.baseline import BINS, count_scores, read_baseline
from convert.errors import ConversionError

LABELS = ("husky", "not husky")


def test_one_output_counts_the_probability_of_the_first_label():
    baseline = count_scores(np.float32([0, 0.049999, 0.05, 0.35, 0.5, 0.500001, 0.999999, 1]))
    assert baseline["photos"] == 8
    assert {place: count for place, count in enumerate(baseline["scores"]) if count} == {
        0: 2, 1: 1, 7: 1, 10: 2, 19: 2,
    }  # fmt: skip
    assert baseline["labels"] == [3, 5]


def test_several_outputs_count_the_most_probable_label():
    baseline = count_scores(np.float32([[0.2, 0.7, 0.1], [0.9, 0.05, 0.05], [0.1, 0.72, 0.18]]))
    assert {place: count for place, count in enumerate(baseline["scores"]) if count} == {14: 2, 18: 1}
    assert baseline["labels"] == [1, 2, 0]


def test_a_file_with_what_is_counted_can_be_read(tmp_path):
    baseline = count_scores(np.random.default_rng(1).random(100))
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(baseline | {"note": "ignored"}))
    assert read_baseline(path, LABELS) == baseline


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scores": [1] * (BINS - 1)}, "scores must be 20 counts"),
        ({"scores": [0.5] * BINS}, "scores must be 20 counts"),
        ({"scores": [-1] + [1] * (BINS - 1)}, "scores must be 20 counts"),
        ({"labels": [20]}, "labels must be 2 counts"),
        ({"labels": [1, 1]}, "do not add up"),
        ({"photos": 0, "scores": [0] * BINS, "labels": [0, 0]}, "do not add up"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path, change, reason):
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"photos": 20, "scores": [1] * BINS, "labels": [5, 15]} | change))
    with pytest.raises(ConversionError, match=reason):
        read_baseline(path, LABELS)


@pytest.mark.parametrize("content", ["", "{", "[]", "3"])
def test_a_file_without_an_object_is_refused(tmp_path, content):
    path = tmp_path / "baseline.json"
    path.write_text(content)
    with pytest.raises(ConversionError, match="--baseline"):
        read_baseline(path, LABELS)


def test_the_manifest_carries_it_and_stays_reproducible(run, binary_h5, tmp_path):
    baseline = count_scores(np.random.default_rng(1).random(100))
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(baseline))
    done = run(binary_h5, "--baseline", str(path))
    assert (done.code, done.error) == (0, "")
    assert done.manifest["baseline"] == baseline
    assert list(done.manifest)[-2:] == ["baseline", "probes"]
    assert run(binary_h5, "--baseline", str(path), out="again").digests == done.digests


def test_without_the_option_it_comes_from_the_metrics_of_this_file(run, binary_h5):
    baseline = count_scores(np.random.default_rng(2).random(100))
    digest = hashlib.sha256(binary_h5.read_bytes()).hexdigest()
    metrics = {"source": {"sha256": digest}, "baseline": baseline}
    (binary_h5.parent / "metrics.json").write_text(json.dumps(metrics))
    assert run(binary_h5).manifest["baseline"] == baseline
    (binary_h5.parent / "metrics.json").write_text(json.dumps(metrics | {"source": {"sha256": "0" * 64}}))
    assert "baseline" not in run(binary_h5, out="other").manifest


def test_a_file_that_is_no_baseline_writes_nothing(run, binary_h5, tmp_path):
    path = tmp_path / "baseline.json"
    path.write_text("{}")
    done = run(binary_h5, "--baseline", str(path))
    assert done.code == 1
    assert done.error == "Not converted: --baseline: scores must be 20 counts"
    assert not done.out.exists()
