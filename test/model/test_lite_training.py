"""Training of the default network, end to end on drawn shapes, and its parts."""

import io
import json
import shutil
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.metrics import roc_auc_score

from draw_shapes import draw_folder
from model.training import candidates, cross_source, lessons, slimming, train, training_state
from model.training.augmentation import LUMINANCE, Appearance, quantize_blocks
from model.training.dataset import Photos, find_group, find_photos
from model.training.evaluation import (
    auc_interval,
    evaluate_groups,
    expected_calibration_error,
    reliability,
    wilson_interval,
)
from model.training.finishing import build_served, calibrate, respond, summarise_others
from model.training.learning import learn
from model.training.lessons import prepare
from model.training.lite_network import SCORE, build, kernels_of, predict_logits, train_from
from model.training.photos import LEAST_AREA, draw_views, read_views, to_input
from model.training.recipe import RecipeError, read_recipe
from model.training.slimming import build_slim
from model.training.sources import mark_source
from model.training.strangers import Strangers, split_strangers

RECIPE = """
size = 32
label_weight = 0.5
prior = 0.5
junk = 0.1
[teacher]
asked = true
variant = "lite0"
size = 32
classes = [248, 250]
[knowledge]
weight = 2
keep = 5
clusters = 3
[kinds]
positive = { views = 3, share = 0.5 }
barred = { views = 2, share = 0.2, label_weight = 1.0, patterns = ["0001.*"] }
other = { views = 1, share = 0.2 }
[training]
seed = 1
epochs = 2
steps = 3
batch_size = 4
learning_rate = 1e-3
weight_decay = 1e-4
averaging = 0.5
train_from_block = 14
imagenet_weight = 0.5
[slimming]
blocks = [3, 14]
kernel = 3
[probe]
strength = 1e-3
[strangers]
websites = []
collections = {}
[groups]
first = ["0000.*"]
[sources]
even = ["*[02468].*"]
odd = ["*[13579].*"]
[[candidates]]
name = "cut"
size = 24
slim = [3, 4, 8]
precisions = ["float16", "int8"]
"""

ROOT = Path(__file__).parents[2]
KILLED_AFTER_AN_EPOCH = """
import os, signal, sys
from model.training import distillation, slimming, train

save = distillation.save_state

def save_and_die(*state):
    save(*state)
    os.kill(os.getpid(), signal.SIGKILL)

distillation.save_state = save_and_die
slimming.FITTED_ON = 32
train.main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    draw_folder(folder, count=8, size=48)
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "shapes.toml"
    file.write_text(RECIPE, "utf-8")
    return file


@pytest.fixture(autouse=True, scope="module")
def _few_views():
    """A few views suffice to fit kernels, unless a test is about the fit (see test_slimming.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slimming, "FITTED_ON", 32)
        yield


@pytest.fixture(scope="module")
def trained(data, recipe, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    assert train.main(["--data", str(data), "--recipe", str(recipe), "--out", str(out)]) == 0
    return out


@pytest.fixture(autouse=True)
def _eager():
    """Tracing the graphs of these networks takes longer than the few steps of a test; ``trained`` has traced them."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # it cannot apply to tf.data
        yield
    tf.config.run_functions_eagerly(False)


def test_writes_a_model_to_serve_its_metrics_and_its_plots(trained):
    model = keras.models.load_model(trained / "huskymodel.h5", compile=False)
    assert (model.input_shape, model.output_shape) == ((None, 32, 32, 3), (None, 1))
    assert not any(layer.name == "imagenet" for layer in model.layers), "ImageNet's classes serve the training only"
    assert kernels_of(model) == (3, 3, 3, 3, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 3, 3), (
        "smaller ones in the blocks of the recipe"
    )
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["network"]["name"] == "lite"
    assert metrics["training"]["plan"]["steps"] == 3
    assert len(metrics["history"]["loss"]) == len(metrics["history"]["val_auc"]) == 2
    assert metrics["strangers"]["both"] == metrics["validation"], "all, if none are marked"
    assert {row["group"] for row in metrics["groups"]} == {"first", "others"}
    assert sum(row["photos"] for row in metrics["groups"]) == metrics["validation"]["photos"] == 8
    plots = sorted(path.name for path in (trained / "plots").iterdir())
    assert plots == ["confusion.svg", "curves.svg", "groups.svg", "reliability.svg", "roc.svg"]


def assert_same_network(first: Path, second: Path) -> None:
    one, other = (keras.models.load_model(file, compile=False) for file in (first, second))
    for layer in one.layers:
        if layer.name != "score":  # the calibration of so few photos is sensitive to the last digits
            for weights, again in zip(layer.get_weights(), other.get_layer(layer.name).get_weights(), strict=True):
                # Adam moves a weight by up to the learning rate where the gradient is next to zero.
                assert np.abs(weights - again).mean() < 1e-5, layer.name


def test_a_second_training_uses_the_cache_and_gives_the_same_model(trained, data, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "embed", None)
    shutil.copytree(trained, tmp_path / "again")
    assert train.main(["--data", str(data), "--recipe", str(recipe), "--out", str(tmp_path / "again")]) == 0
    assert_same_network(trained / "huskymodel.h5", tmp_path / "again" / "huskymodel.h5")


def test_a_killed_training_continues(trained, data, recipe, tmp_path):
    options = ["--data", str(data), "--recipe", str(recipe), "--out", str(tmp_path)]
    killed = subprocess.run([sys.executable, "-c", KILLED_AFTER_AN_EPOCH, *options], cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (tmp_path / "huskymodel.h5").exists()
    assert train.main([*options, "--stop"]) == 0
    stopped = json.loads((tmp_path / "metrics.json").read_text())
    assert len(stopped["history"]["loss"]) == stopped["training"]["best_epoch"] == 1
    assert train.main(options) == 0
    whole, resumed = (json.loads((folder / "metrics.json").read_text())["history"] for folder in (trained, tmp_path))
    assert resumed.keys() == whole.keys()
    assert all(resumed[name] == pytest.approx(whole[name], abs=1e-3) for name in whole)
    assert_same_network(trained / "huskymodel.h5", tmp_path / "huskymodel.h5")


def test_a_kill_while_the_state_is_written_keeps_the_previous_one(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.AdamW(0.1, use_ema=True), loss="mse")
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    file, history = tmp_path / "state.npz", {"loss": [0.5]}
    training_state.save_state(file, model, model.optimizer, history)
    weights, state = model.get_weights(), [value.numpy() for value in model.optimizer.variables]
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)

    def killed(target, **_arrays):
        target.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(np, "savez", killed)
        training_state.save_state(file, model, model.optimizer, {})
    assert training_state.restore_state(file, model, model.optimizer) == history
    assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), weights, strict=True))
    restored = [value.numpy() for value in model.optimizer.variables]
    assert all(np.array_equal(*pair) for pair in zip(restored, state, strict=True))


def test_an_interrupted_teacher_continues(trained, data, recipe, tmp_path, monkeypatch):
    told = read_recipe(recipe)
    photos = find_photos(data, "training", ("husky", "nothusky"))
    embed, started = lessons.embed, []

    def interrupted(paths, *rest):
        started.append(len(paths))
        if len(started) == 3:
            raise KeyboardInterrupt
        return embed(paths, *rest)

    monkeypatch.setattr(lessons, "PART", 6)
    monkeypatch.setattr(lessons, "embed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(photos, told, tmp_path)
    prepared = prepare(photos, told, tmp_path)
    assert started == [6, 6, 4, 4], "the third part again, and only that"
    whole = prepare(photos, told, trained / ".cache")
    assert np.allclose(prepared.imagenet, whole.imagenet, atol=1e-3)
    assert [path.suffixes for path in tmp_path.iterdir()] == [[".npy"]]


def test_without_epochs_only_the_last_layer_learns(data, recipe, tmp_path):
    told = read_recipe(recipe)
    short = replace(told, plan=replace(told.plan, epochs=0), teacher=replace(told.teacher, asked=False))
    photos = find_photos(data, "training", ("husky", "nothusky"))
    prepared = prepare(photos, short, tmp_path)
    assert set(prepared.score) == {0, 1}, "labels; there is no teacher"
    assert not list(tmp_path.iterdir()), "nor anything of it in the cache"
    model, history = learn(prepared, None, short, tmp_path)
    assert history == {}
    untrained = build_slim(short.slimming, prepared, short.plan.seed)
    for layer in model.layers:
        same = all(map(np.array_equal, layer.get_weights(), untrained.get_layer(layer.name).get_weights()))
        assert same == (layer.name != SCORE)
    found = predict_logits(model, prepared.pixels)
    assert roc_auc_score(prepared.score, found, sample_weight=prepared.share) > 0.8


def test_no_website_of_strangers_is_in_both_halves():
    names = [f"husky-web__{number:03}.jpg" for number in (1, 2, 3, 7, 8, 20, 999, 1000)]
    names += [f"husky-rescue__{number:03}.jpg" for number in (1, 5)]
    others = [f"cat-web__{number:03}.jpg" for number in (1, 3, 5, 7)] + ["siberian_husky__1.jpg"]
    labels = np.array([1.0] * len(names) + [0.0] * len(others))
    photos = Photos([Path("a", name) for name in [*names, *others]], labels)
    strangers = Strangers(["*-web__*"], {"a rescue": ["husky-rescue__*"]})
    halves = split_strangers(photos, strangers)
    assert not (halves.chosen & halves.reported).any()
    assert halves.both.tolist() == [True] * 14 + [False], "photos of known sources are in neither"
    for first, *rest in ((0, 1, 2), (3, 4), (6, 7), (8, 9)):
        assert all(halves.chosen[place] == halves.chosen[first] for place in rest)
    assert labels[halves.chosen].sum() == labels[halves.reported].sum() == 5
    assert halves.chosen.sum() == 7
    order = np.random.default_rng(1).permutation(len(labels))
    shuffled = split_strangers(Photos([photos.paths[place] for place in order], labels[order]), strangers)
    assert np.array_equal(shuffled.chosen, halves.chosen[order])
    alone = split_strangers(photos, Strangers([], {}))
    assert alone.chosen.all() and alone.reported.all(), "without strangers, all photos"


def test_lessons_have_the_shares_of_the_recipe(trained, data, recipe):
    told = read_recipe(recipe)
    photos = find_photos(data, "training", ("husky", "nothusky"))
    prepared = prepare(photos, told, trained / ".cache")
    views = 8 * 3 + 1 * 2 + 7 * 1
    assert prepared.pixels.shape[1:] == (32, 32, 3)
    assert prepared.share.sum() == pytest.approx(1)
    assert prepared.share[:24].sum() == pytest.approx(0.5)
    assert prepared.share[views:].sum() == pytest.approx(0.1), "junk images"
    assert (prepared.score[views:] == 0).all()
    assert prepared.score[:24].min() > 0.5 > prepared.score[24:views].max(), "the label is half of it"
    assert (prepared.score[25:27] == 0).all(), "or all of it, if the kind says so"
    assert np.allclose(prepared.imagenet.astype(np.float32).sum(axis=1), 1, atol=0.02)


def test_nothing_learns_from_photos_that_are_left_out(trained, data, recipe):
    told = read_recipe(recipe)
    photos = find_photos(data, "training", ("husky", "nothusky"))
    left_out = mark_source(photos, told, "even")
    assert [path.name[:4] for path, out in zip(photos.paths, left_out, strict=True) if out] == [
        "0000", "0002", "0004", "0006",
    ]  # fmt: skip
    whole = prepare(photos, told, trained / ".cache")
    rest = prepare(photos, told, trained / ".cache", left_out=left_out)
    assert len(whole.pixels) - len(rest.pixels) == 4 * 3
    gone = {whole.pixels[3 * place].tobytes() for place in (0, 2, 4, 6)}
    assert gone.isdisjoint(view.tobytes() for view in rest.pixels)
    assert rest.share[: 4 * 3].sum() == pytest.approx(0.5), "the others take over the share"
    assert not np.allclose(rest.score[:3], whole.score[3:6]), "nor has the teacher learnt from them"


def test_leaves_out_and_measures_one_source_at_a_time(trained, data, recipe, tmp_path, capsys):
    told = ["--data", str(data), "--recipe", str(recipe), "--cache", str(trained / ".cache"), "--out", str(tmp_path)]
    assert cross_source.main(told) == 0
    even, odd = json.loads((tmp_path / "cross-source.json").read_text())
    assert (even["source"], even["positives"], even["negatives"]) == ("even", 4 + 2, 4)
    assert (odd["source"], odd["positives"], odd["negatives"]) == ("odd", 4 + 2, 4)
    assert 0 <= even["auc_interval"][0] <= even["auc"] <= even["auc_interval"][1] <= 1
    assert "| even | 6 + 4 | " in capsys.readouterr().out


def test_writes_candidates_with_a_trained_last_layer(data, recipe, tmp_path):
    told = ["--data", str(data), "--recipe", str(recipe), "--out", str(tmp_path)]
    assert candidates.main(told) == 0
    classic, half, quarter = json.loads((tmp_path / "candidates.json").read_text())
    assert (classic["name"], classic["auc"]) == ("classic", None), "untrained"
    assert (half["name"], half["input"]) == ("cut float16", 24)
    assert quarter["name"] == "cut int8"
    for entry in (classic, half, quarter):
        assert (tmp_path / entry["file"]).stat().st_size == entry["bytes"]
    nodes = onnx.load(tmp_path / half["file"]).graph.node
    widths = [onnx.helper.get_node_attr_value(node, "kernel_shape")[0] for node in nodes if _is_depthwise(node)]
    assert widths == [3, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5, 3]
    assert all(0 <= entry["auc"] <= 1 for entry in (half, quarter))


def test_without_photos_the_candidates_are_untrained(recipe, tmp_path):
    assert candidates.main(["--recipe", str(recipe), "--out", str(tmp_path)]) == 0
    classic, half = json.loads((tmp_path / "candidates.json").read_text())
    assert (classic["name"], half["name"], half["auc"]) == ("classic", "cut float16", None), "int8 needs photos"
    assert onnx.load(tmp_path / half["file"]).graph.output[0].name == "scores"


def _is_depthwise(node: onnx.NodeProto) -> bool:
    return node.op_type == "Conv" and any(entry.name == "group" and entry.i > 1 for entry in node.attribute)


def test_reports_an_invalid_recipe(data, tmp_path, capsys):
    (tmp_path / "bad.toml").write_text("size = 3\n", "utf-8")
    assert train.main(["--data", str(data), "--recipe", str(tmp_path / "bad.toml"), "--out", str(tmp_path)]) == 1
    assert "Not trained: bad.toml: 'kinds'" in capsys.readouterr().err.splitlines()
    with pytest.raises(RecipeError, match="avrage"):
        (tmp_path / "odd.toml").write_text(RECIPE.replace("averaging", "avrage"), "utf-8")
        read_recipe(tmp_path / "odd.toml")


def test_trains_only_the_late_blocks_and_no_normalisation():
    model = build(32)
    train_from(model, 14)
    learning = {layer.name for layer in model.layers if layer.trainable and layer.weights}
    assert "block_14_depthwise" in learning and "score" in learning and "head" in learning
    assert not any(name.endswith("_norm") or name.startswith("block_13") or name == "stem" for name in learning)


def test_the_served_network_adds_what_was_learnt_and_what_imagenet_knew():
    model = build(32, seed=3)
    pixels = np.random.default_rng(2).integers(0, 256, (30, 32, 32, 3)).astype(np.uint8)
    seen = respond(model, pixels)
    assert np.allclose(seen.score, predict_logits(model, pixels), atol=1e-4)
    rows = summarise_others(model, seen, [248, 250], keep=990, clusters=8, seed=1)
    scores = build_served(model, [248, 250], rows, (2.0, 0.7), -0.5).predict(to_input(pixels), verbose=0)[:, 0]
    expected = 2 * seen.score + 0.7 * seen.log_odds([248, 250]) - 0.5
    assert np.allclose(scores, 1 / (1 + np.exp(-expected)), atol=1e-4)


def test_a_few_rows_approximate_all_of_imagenet():
    model = build(32, seed=3)
    pixels = np.random.default_rng(2).integers(0, 256, (60, 32, 32, 3)).astype(np.uint8)
    seen = respond(model, pixels)
    rows = summarise_others(model, seen, [248, 250], keep=20, clusters=20, seed=1)
    assert rows.kernel.shape == (1280, 40)
    together = np.log(np.exp(seen.features @ rows.kernel + rows.bias).sum(axis=1))
    own = np.isin(np.arange(1000), [248, 250])
    exact = np.log(np.exp(seen.imagenet[:, ~own]).sum(axis=1))
    assert np.abs(together - exact).mean() < 0.5 * exact.std() + 0.2


def test_views_keep_most_of_the_photo_and_depend_on_the_seed(data):
    counts = np.full(50, 4)
    views = draw_views(counts, 1)
    width = views.boxes[..., 2] - views.boxes[..., 0]
    height = views.boxes[..., 3] - views.boxes[..., 1]
    assert (views.boxes >= 0).all() and (views.boxes <= 1 + 1e-12).all()
    assert (width * height >= LEAST_AREA * 0.7).all()
    assert (views.boxes[:, 0] == [0, 0, 1, 1]).all() and not views.mirrored[:, 0].any()
    assert np.array_equal(draw_views(counts, 1).boxes, views.boxes)
    assert not np.array_equal(draw_views(counts, 2).boxes, views.boxes)
    paths = find_photos(data, "training", ("husky", "nothusky")).paths
    read = list(read_views(paths[:2], draw_views(np.array([1, 3]), 1), 24))
    assert [view.shape for view in read] == [(1, 24, 24, 3), (3, 24, 24, 3)]


def test_a_changed_appearance_keeps_the_motif():
    photo = np.zeros((64, 60, 3), np.uint8)
    photo[40:] = 200
    photos = np.repeat(photo[None], 40, axis=0)
    appearance = Appearance(5)
    assert np.allclose(appearance(photos), photos / 255, atol=1e-6), "only in training"
    appearance.begin_epoch(1)
    changed = keras.ops.convert_to_numpy(appearance(photos, training=True))
    assert changed.shape == (40, 64, 60, 3)
    assert changed.min() >= 0 and changed.max() <= 1
    assert (changed[:, 50:].mean(axis=(1, 2, 3)) > changed[:, :30].mean(axis=(1, 2, 3)) + 0.2).all()
    assert len({view.tobytes() for view in changed}) == 40
    assert not np.array_equal(appearance(photos, training=True), changed)
    appearance.begin_epoch(1)
    assert np.array_equal(appearance(photos, training=True), changed), "an epoch repeats its changes"


def test_half_of_the_views_are_mirrored():
    photo = np.zeros((32, 32, 3), np.uint8)
    photo[:, 20:] = 255
    changed = keras.ops.convert_to_numpy(Appearance(2)(np.repeat(photo[None], 60, axis=0), training=True))
    right = changed[:, :, 24:].mean(axis=(1, 2, 3)) > changed[:, :, :8].mean(axis=(1, 2, 3))
    assert 15 < right.sum() < 45


def test_quantised_blocks_look_like_a_jpeg():
    random = np.random.default_rng(3)
    smooth = np.array(Image.fromarray(random.integers(0, 256, (6, 6, 3), np.uint8)).resize((44, 40), Image.BICUBIC))
    file = io.BytesIO()
    table = [int(value) for value in LUMINANCE.ravel()]
    Image.fromarray(smooth).save(file, "JPEG", qtables=[table, table], subsampling=0)
    with Image.open(file) as image:
        wanted = np.asarray(image, float)
    shown = 255 * quantize_blocks((smooth[None] / 255).astype(np.float32), np.ones((1, 1, 1, 1), np.float32))[0]
    assert np.abs(shown[:, :40] - wanted[:, :40]).mean() < 1.0
    assert np.abs(wanted[:, :40] - smooth[:, :40]).mean() > 2.0, "it is a poor JPEG"
    assert np.allclose(shown[:, 40:], smooth[:, 40:], atol=1e-3), "outside whole blocks nothing changes"


def test_calibrated_scores_are_probabilities():
    random = np.random.default_rng(1)
    logit = random.normal(0, 2, 20_000)
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(1.5 * logit - 1)))).astype(float)
    gain, offset = calibrate(logit, labels, labels.mean())
    assert (gain, offset) == (pytest.approx(1.5, abs=0.08), pytest.approx(-1, abs=0.08))
    scores = 1 / (1 + np.exp(-(gain * logit + offset)))
    assert expected_calibration_error(labels, scores) < 0.02
    assert expected_calibration_error(labels, np.full(20_000, 0.9)) == pytest.approx(0.9 - labels.mean(), abs=1e-6)
    assert sum(entry["photos"] for entry in reliability(labels, scores)) == 20_000


def test_groups_and_intervals():
    groups = {"malamutes": ["malamute__*"], "objects": ["caltech-*"]}
    assert find_group(Path("a/malamute__1.jpg"), groups) == "malamutes"
    assert find_group(Path("a/caltech-chair__1.jpg"), groups) == "objects"
    assert find_group(Path("a/other.jpg"), groups) == "others"
    paths = [Path(f"malamute__{n}.jpg") for n in range(10)]
    (row,) = evaluate_groups(paths, np.zeros(10), np.array([0.9] * 3 + [0.1] * 7), groups)
    assert (row["called_positive"], row["share"], row["positive"]) == (3, 0.3, False)
    # https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval: 3 of 10
    assert wilson_interval(3, 10) == (pytest.approx(0.1078, abs=1e-4), pytest.approx(0.6032, abs=1e-4))
    low, high = auc_interval(np.array([1, 1, 1, 0, 0, 0]), np.array([0.9, 0.8, 0.4, 0.5, 0.2, 0.1]))
    assert low < 8 / 9 <= high <= 1
