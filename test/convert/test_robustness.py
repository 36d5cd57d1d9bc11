"""The robustness command, on networks whose response to every change can be computed."""

import hashlib
import json

import keras
import numpy as np
import pytest
from PIL import Image

from convert import changes, robustness
from convert.judge import Judge

layers = keras.layers
SIZE = 16


def linear(kernel: np.ndarray, bias: float, folder, name="linear.h5"):
    """Save a network that is one sigmoid over all pixels, and return its path."""
    model = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
    )  # fmt: skip
    model.layers[-1].set_weights([kernel.reshape(-1, 1).astype(np.float32), np.float32([bias])])
    model.save(folder / name, include_optimizer=False)
    return folder / name


def constant(logit: float, folder):
    return linear(np.zeros((SIZE, SIZE, 3)), logit, folder)


def brightness(gain: float, bias: float, folder):
    """Return a network whose logit is gain * mean + bias."""
    return linear(np.full((SIZE, SIZE, 3), gain / (SIZE * SIZE * 3)), bias, folder)


def left_half(gain: float, bias: float, folder):
    """Return a network whose logit is gain * (mean of the left half - mean of the right half) + bias."""
    side = np.where(np.arange(SIZE) < SIZE / 2, 1.0, -1.0)[None, :, None]
    return linear(np.broadcast_to(side * gain / (SIZE * SIZE * 1.5), (SIZE, SIZE, 3)), bias, folder)


@pytest.fixture
def photos(tmp_path):
    """Three grey photos of each class; the left half of the positive ones is lighter."""
    for name, left, right in (("husky", 150, 90), ("nothusky", 120, 120)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in range(3):
            pixels = np.full((64, 64, 3), right, np.uint8)
            pixels[:, :32] = left
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{index}.png")
    return tmp_path / "data"


def run(*arguments):
    return robustness.main([str(argument) for argument in arguments])


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def found_in(path):
    content = json.loads(path.read_text("utf-8"))
    return content, {entry["name"]: entry for entry in content["changes"]}


def test_a_constant_network_passes(photos, tmp_path, capsys):
    file = constant(1, tmp_path)
    assert run(file, "--data", photos, "--out", tmp_path / "found.json") == 0
    content, effects = found_in(tmp_path / "found.json")
    assert list(effects) == ["unchanged", *changes.CHANGES]
    assert content["photos"] == {"positive": 3, "negative": 3}
    assert content["source"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    for entry in (*effects.values(), content["attack"]):
        assert entry["positive_mean"] == entry["negative_mean"] == pytest.approx(sigmoid(1), abs=1e-4)
        assert entry["positive_change"] == entry["negative_change"] == entry["verdicts_changed"] == 0
    assert "| flipped | 0.731 | +0.000 | 0.731 | +0.000 | 0.0% |" in capsys.readouterr().out


def test_light_moves_a_network_that_measures_light(photos, tmp_path, capsys):
    file = brightness(20, -9.4, tmp_path)
    assert run(file, "--data", photos, "--out", tmp_path / "found.json") == 1
    _, effects = found_in(tmp_path / "found.json")
    before = sigmoid(20 * 120 / 255 - 9.4)
    for name, level in (("20 % darker", 96), ("20 % brighter", 144)):
        after = sigmoid(20 * level / 255 - 9.4)
        assert effects[name]["positive_mean"] == pytest.approx(after, abs=1e-3)
        assert effects[name]["positive_change"] == pytest.approx(after - before, abs=1e-3)
    assert abs(effects["flipped"]["positive_change"]) < 1e-3
    assert abs(effects["JPEG at quality 50"]["positive_change"]) < 0.02
    printed = capsys.readouterr()
    assert "These move the mean score by 0.05 or more: 20 % darker, 20 % brighter" in printed.err.splitlines()
    assert printed.out.count("(too far)") == 2


def test_flipping_inverts_a_network_that_measures_the_left_half(photos, tmp_path):
    assert run(left_half(10, 0, tmp_path), "--data", photos, "--out", tmp_path / "found.json") == 1
    _, effects = found_in(tmp_path / "found.json")
    contrast = 10 * 60 / 255
    assert effects["unchanged"]["positive_mean"] == pytest.approx(sigmoid(contrast), abs=0.01)
    assert effects["flipped"]["positive_mean"] == pytest.approx(sigmoid(-contrast), abs=0.01)
    assert effects["flipped"]["verdicts_changed"] == 0.5
    assert effects["flipped"]["negative_change"] == 0
    # Cutting 4 % off one side makes the halves 48 % and 52 % of the width.
    for name in ("4 % cut off left and top", "4 % cut off right and bottom"):
        assert 0.001 < abs(effects[name]["positive_change"]) < 0.05


def test_the_attack_moves_every_pixel_two_steps_against_the_class(photos, tmp_path):
    random = np.random.default_rng(2).normal(0, 0.05, (SIZE, SIZE, 3))
    assert run(linear(random, 0, tmp_path), "--data", photos, "--out", tmp_path / "found.json") in (0, 1)
    content, effects = found_in(tmp_path / "found.json")
    before = effects["unchanged"]
    moved = 2 / 255 * np.abs(random).sum()
    for kind, sign in (("positive", -1), ("negative", 1)):
        logit = np.log(before[f"{kind}_mean"] / (1 - before[f"{kind}_mean"]))
        assert content["attack"][f"{kind}_mean"] == pytest.approx(sigmoid(logit + sign * moved), abs=2e-3)


def test_attacks_a_score_of_exactly_one(tmp_path):
    """In float32 the sigmoid of 40 is 1 and its gradient 0."""
    judge = Judge(brightness(80, 0, tmp_path), "0..1")
    pictures = np.full((1, SIZE, SIZE, 3), 0.5, np.float32)
    assert judge.score(pictures) == 1
    attacked = judge.attack(pictures, np.array([True]), 2 / 255)
    assert np.abs(attacked - (0.5 - 2 / 255)).max() < 1e-6


def test_an_attacked_image_stays_in_range(tmp_path):
    judge = Judge(brightness(1, 0, tmp_path), "0..1")
    white = np.ones((2, SIZE, SIZE, 3), np.float32)
    attacked = judge.attack(white, np.array([True, False]), 2 / 255)
    assert attacked[0].max() == pytest.approx(1 - 2 / 255)
    assert attacked[1].max() == 1


def test_applies_the_orientation_of_photos(photos, tmp_path):
    """Photos stored sideways, with the matching orientation, score as before."""
    file = left_half(10, 0, tmp_path)
    for path in (photos / "husky").iterdir():
        with Image.open(path) as image:
            exif = image.getexif()
            exif[0x0112] = 6
            image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    run(file, "--data", photos, "--out", tmp_path / "found.json")
    _, effects = found_in(tmp_path / "found.json")
    assert effects["unchanged"]["positive_mean"] == pytest.approx(sigmoid(10 * 60 / 255), abs=0.01)


def test_limits_the_photos_of_each_class(photos, tmp_path):
    run(constant(1, tmp_path), "--data", photos, "--photos", "2", "--out", tmp_path / "found.json")
    assert found_in(tmp_path / "found.json")[0]["photos"] == {"positive": 2, "negative": 2}


def test_unusable_data_is_reported_in_one_line(photos, tmp_path, capsys):
    assert run(constant(1, tmp_path), "--data", tmp_path / "nowhere") == 1
    assert "two class folders" in capsys.readouterr().err
    (photos / "husky/broken.jpg").write_bytes(b"no photo")
    assert run(constant(1, tmp_path), "--data", photos) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Not measured")]
    assert "broken.jpg" in line
