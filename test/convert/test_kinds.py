"""Every kind of Keras file that people have is converted, and the Worker's ONNX Runtime serves what Keras returns."""

import json
import subprocess

import numpy as np
import pytest

from convert import convert
from kinds import KINDS, Kind
from served import open_release


def draw_pixels(manifest: dict) -> np.ndarray:
    described = manifest["input"]
    channels = 3 if described["color"] == "RGB" else 1
    shape = (3, described["height"], described["width"], channels)
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.float32)


@pytest.fixture(scope="session")
def releases() -> dict:
    """What the tests converted, to be run in one process of Node: kind to (folder, pixels, expected scores)."""
    return {}


@pytest.mark.parametrize("name", KINDS)
def test_converts(run, tmp_path, tmp_path_factory, releases, name):
    kind: Kind = KINDS[name]
    model = kind.save(tmp_path / kind.file)
    arguments = ["--labels", kind.labels] if kind.labels else []
    out = tmp_path_factory.mktemp("release") / "version"
    done = run(tmp_path / kind.file, *kind.arguments, *arguments, out=str(out), labels=False)
    assert done.code == 0, done.error
    assert "warning" not in done.output
    pixels = draw_pixels(done.manifest)
    expected = np.asarray(kind.finish(model(kind.feed(pixels.copy()), training=False))).astype(np.float32)
    found = open_release(done.out).score(pixels / np.float32(255))
    assert found.shape == expected.reshape(len(pixels), -1).shape
    assert np.abs(found - expected).max() < kind.tolerance
    assert found.std(axis=0).max() > 1e-4  # the scores depend on the photo
    releases[name] = (out, pixels, found)


@pytest.mark.wasm
def test_the_worker_serves_each(releases, tmp_path):
    """After the tests above, for starting Node for each of them takes a second."""
    if not releases:
        pytest.skip("needs the releases of the tests above")
    given = []
    for index, (out, pixels, _) in enumerate(releases.values()):
        inputs = tmp_path / f"{index}.bin"
        (pixels / np.float32(255)).astype("<f4").tofile(inputs)
        given.append({"folder": str(out), "inputs": str(inputs)})
    script = convert.ROOT / "test/convert/try-versions.ts"
    done = subprocess.run(["node", script], input=json.dumps(given), capture_output=True, text=True, cwd=convert.ROOT)
    assert done.returncode == 0, done.stderr
    for found, (name, (_, _, expected)) in zip(json.loads(done.stdout), releases.items(), strict=True):
        assert np.abs(np.reshape(found, expected.shape) - expected).max() < 1e-5, name


def test_teachable_machine_needs_nothing_else(run, tmp_path):
    KINDS["Teachable Machine"].save(tmp_path / "converted_keras.zip")
    done = run(tmp_path / "converted_keras.zip", labels=False)
    assert done.code == 0, done.error
    manifest = done.manifest
    assert manifest["name"] == "converted-keras"
    assert manifest["labels"] == ["Cat", "Dog, asleep", "Nothing"]
    assert (manifest["input"]["resize"], manifest["input"]["resampling"]) == ("fit", "lanczos")
    assert manifest["source"]["file"] == "keras_Model.h5"
    assert manifest["heatmap"]["rows"] == 28
    assert "tf_keras" in manifest["tools"]

    import zipfile

    with zipfile.ZipFile(tmp_path / "converted_keras.zip") as archive:
        archive.extractall(tmp_path / "pets")
    assert run(tmp_path / "pets", "--name", "converted-keras", out="folder", labels=False).digests == done.digests


def test_others_are_squeezed(run, binary_h5):
    assert run(binary_h5).manifest["input"]["resize"] == "squeeze"
    assert run(binary_h5, "--resize", "fit").manifest["input"]["resize"] == "fit"


def test_a_grey_network_has_grey_probes(run, tmp_path):
    KINDS["greyscale"].save(tmp_path / "grey.keras")
    manifest = run(tmp_path / "grey.keras", "--labels", "a,b,c").manifest
    assert manifest["input"]["color"] == "L"
    import base64

    for probe in manifest["probes"]:
        if probe["kind"] == "grid":
            assert len(base64.b64decode(probe["rgb"])) == probe["rows"] * probe["columns"]


def test_independent_labels_have_a_threshold_and_a_heat_map_each(run, tmp_path):
    KINDS["independent labels"].save(tmp_path / "model.keras")
    done = run(tmp_path / "model.keras", "--labels", "a,b,c", "--multi-label", "--threshold", "0.3")
    assert done.code == 0, done.error
    assert done.manifest["output"] == {"name": "scores", "activation": "sigmoid", "size": 3}
    assert done.manifest["threshold"] == 0.3
    assert done.manifest["heatmap"] is not None


@pytest.mark.parametrize(
    ("kind", "labels", "advice"),
    [
        ("logits of classes", "a,b,c", "--activation softmax"),
        ("a logit", "yes,no", "--activation sigmoid"),
        ("independent labels", "a,b,c", "--multi-label"),
        ("two sigmoids", "a,b", "--multi-label"),
        ("any size", "a,b,c", "--size 224x224"),
        ("two outputs", "a,b,c", "--output"),
        ("a vector of pixels", "a,b,c", "--size 28x28"),
    ],
)
def test_a_refusal_gives_the_command_that_helps(run, tmp_path, kind, labels, advice):
    path = tmp_path / KINDS[kind].file
    KINDS[kind].save(path)
    refused = run(path, "--labels", labels, "--input-range", "0..1")
    assert refused.code == 1
    assert f"npm run model:convert -- {path}" in refused.error
    assert advice in refused.error
    assert not refused.out.exists()


def test_warns_of_a_range_that_makes_all_outputs_alike(run, tmp_path):
    import keras

    model = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.layers[-1].set_weights([np.full((192, 1), 0.0002), np.zeros(1)])
    model.save(tmp_path / "bytes.keras")
    done = run(tmp_path / "bytes.keras", "--input-range", "0..1")
    assert "warning: with pixels in 0..1, all outputs alike" in done.output
    assert "--input-range 0..255 looks plausible" in done.output
    assert "warning" not in run(tmp_path / "bytes.keras", "--input-range", "0..255").output
    assert "0..255: plausible" in run(tmp_path / "bytes.keras").output


def test_minus_one_needs_no_equals_sign(run, binary_h5):
    spaced, joined = (
        run(binary_h5, *form, out=form[-1]) for form in (("--input-range", "-1..1"), ("--input-range=-1..1",))
    )
    assert spaced.code == 0, spaced.error
    assert spaced.digests == joined.digests
