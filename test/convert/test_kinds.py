"""Every kind of Keras file that people have is converted, and the Worker's ONNX Runtime serves what Keras returns."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from convert import convert
from kinds import KINDS, Kind, functional
from served import open_release


def draw_pixels(manifest: dict) -> np.ndarray:
    described = manifest["input"]
    channels = 3 if described["color"] == "RGB" else 1
    shape = (3, described["height"], described["width"], channels)
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.float32)


@dataclass(frozen=True)
class Served:
    """A converted kind, photos for the Worker, and the scores (N, labels) that Keras returns for them."""

    folder: Path
    photos: tuple[Path, Path]
    """The first has the input's size, the second is larger."""
    scores: np.ndarray

    @property
    def manifest(self) -> dict:
        return json.loads((self.folder / "manifest.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def served() -> dict[str, Served]:
    """What the tests converted, to be published to one running Worker."""
    return {}


def draw_photo() -> Image.Image:
    """Return a picture that is larger than every input, with shapes and stripes."""
    random = np.random.default_rng(4)
    photo = Image.new("RGB", (640, 420), (90, 140, 180))
    pen = ImageDraw.Draw(photo)
    for _ in range(40):
        x, y = random.integers(0, photo.size).tolist()
        pen.ellipse((x, y, x + 90, y + 60), fill=tuple(random.integers(0, 256, 3).tolist()))
        pen.line((x, y, x + 40, y + 80), fill=tuple(random.integers(0, 256, 3).tolist()), width=5)
    return photo


def prepare(photo: Image.Image, manifest: dict) -> np.ndarray:
    """Return what Pillow makes of a photo, as the manifest says: (1, H, W, C) float32, 0 to 255."""
    wanted = manifest["input"]
    size = (wanted["width"], wanted["height"])
    resize = ImageOps.fit if wanted["resize"] == "fit" else Image.Image.resize
    resized = resize(photo.convert(wanted["color"]), size, Image.Resampling[wanted["resampling"].upper()])
    return np.asarray(resized, np.float32).reshape(1, size[1], size[0], -1)


@pytest.mark.parametrize("name", KINDS)
def test_converts(run, tmp_path, tmp_path_factory, served, name):
    kind: Kind = KINDS[name]
    model = kind.save(tmp_path / kind.file)
    arguments = ["--labels", kind.labels] if kind.labels else []
    folder = tmp_path_factory.mktemp("release")
    out = folder / "version"
    done = run(tmp_path / kind.file, *kind.arguments, *arguments, out=str(out), labels=False)
    assert done.code == 0, done.error
    assert "warning" not in done.output

    def compute(pixels: np.ndarray) -> np.ndarray:
        outputs = kind.finish(model(kind.feed(pixels.copy()), training=False))
        return np.asarray(outputs).astype(np.float32).reshape(len(pixels), -1)

    pixels = draw_pixels(done.manifest)
    expected = compute(pixels)
    found = open_release(done.out).score(pixels / np.float32(255))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < kind.tolerance
    assert found.std(axis=0).max() > 1e-4  # the scores depend on the photo

    exact, large = folder / "exact.png", folder / "photo.jpg"
    first = pixels[0].astype(np.uint8)
    Image.fromarray(first if first.shape[-1] == 3 else first[..., 0]).save(exact)
    draw_photo().save(large, quality=90)
    with Image.open(large) as photo:
        scores = np.concatenate([expected[:1], compute(prepare(photo, done.manifest))])
    served[name] = Served(out, (exact, large), scores)


@pytest.mark.wasm
def test_a_running_worker_serves_each(served):
    """Follows the tests above: each kind is signed, published, and scored by one ``wrangler dev``."""
    if not served:
        pytest.skip("needs the releases of the tests above")
    given = [{"folder": str(one.folder), "photos": [str(path) for path in one.photos]} for one in served.values()]
    script = convert.ROOT / "test/convert/serve-versions.ts"
    done = subprocess.run(["node", script], input=json.dumps(given), capture_output=True, text=True, cwd=convert.ROOT)
    assert done.returncode == 0, done.stderr
    for answers, (name, one) in zip(json.loads(done.stdout), served.items(), strict=True):
        check_answers(answers, one, name)


def check_answers(answers: list[dict], one: Served, name: str) -> None:
    manifest = one.manifest
    labels, output = manifest["labels"], manifest["output"]
    binary = output["size"] == 1
    for index, (answer, scores) in enumerate(zip(answers, one.scores, strict=True)):
        allowed = 0.005 if index else KINDS[name].tolerance
        expected = dict(zip(labels, [scores[0], 1 - scores[0]] if binary else scores, strict=True))
        found = {each["label"]: each["score"] for each in answer["scores"]}
        assert found.keys() == expected.keys(), name
        assert max(abs(found[label] - score) for label, score in expected.items()) < allowed, (name, index)
        best = max(expected, key=expected.__getitem__)
        assert answer["label"] == best, (name, index)
        assert answer.get("independent", False) == (output["activation"] == "sigmoid" and not binary), name
    check_heatmap(answers[0]["heatmap"], one, name)


def check_heatmap(found: dict | None, one: Served, name: str) -> None:
    """Compare that of the first photo with the native graph's, which conversion has compared with Keras's."""
    grid = one.manifest["heatmap"]
    if grid is None:
        assert found is None, name
        return
    network = open_release(one.folder)
    with Image.open(one.photos[0]) as photo:
        image = prepare(photo, one.manifest) / np.float32(255)
    (drawn,) = network.draw_heatmaps(image)
    plane = drawn if drawn.ndim == 2 else drawn[..., int(one.scores[0].argmax())]
    assert (found["rows"], found["columns"]) == (grid["rows"], grid["columns"]) == plane.shape, name
    assert np.abs(np.reshape(found["values"], plane.shape) - plane).max() < 1e-3, name


def test_the_heat_map_of_independent_labels_is_the_evidence_for_the_highest(served):
    """Computed from the layers: each cell's logit of that label, if it is positive."""
    one = served.get("independent labels")
    if one is None:
        pytest.skip("needs the release of a test above")
    import keras

    model = KINDS["independent labels"].save(one.folder.parent / "model.keras")
    (pooling,) = [layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)]
    kernel, bias = (np.asarray(weight) for weight in model.layers[-1].get_weights())
    with Image.open(one.photos[-1]) as photo:
        image = prepare(photo, one.manifest) / np.float32(255)
    logits = np.asarray(keras.Model(model.input, pooling.input)(image))[0] @ kernel + bias
    highest = int(one.scores[-1].argmax())
    evidence = np.maximum(logits[..., highest], 0)
    expected = evidence / max(evidence.max(), np.log(0.95 / 0.05))
    (drawn,) = open_release(one.folder).draw_heatmaps(image)
    assert expected.max() > 0.05
    assert np.abs(drawn[..., highest] - expected).max() < 1e-4


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


def test_two_sigmoids_count_as_independent_labels(run, tmp_path):
    KINDS["two sigmoids"].save(tmp_path / "model.h5")
    done = run(tmp_path / "model.h5", "--labels", "a,b")
    assert "two sigmoids: each label has a probability of its own" in done.output
    assert done.manifest["output"]["activation"] == "sigmoid"
    assert done.manifest["threshold"] == 0.5


@pytest.mark.parametrize(
    ("kind", "labels", "advice"),
    [
        ("logits of classes", "a,b,c", "--activation softmax"),
        ("a logit", "yes,no", "--activation sigmoid"),
        ("independent labels", "a,b,c", "--multi-label"),
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


@pytest.mark.parametrize("before", [lambda x: x / 255.0, lambda x: x + 3.0])
def test_arithmetic_that_keras_3_cannot_read_back(run, tmp_path, before):
    functional(before=before)(tmp_path / "model.h5")
    refused = run(tmp_path / "model.h5", "--labels", "a,b,c")
    assert refused.code == 1
    assert "save the model as .keras" in refused.error


@pytest.mark.parametrize(
    ("end", "advice"),
    [
        (("tanh", 1), "it ends in tanh: give the last layer the activation sigmoid, and train it again"),
        (("relu", 3), "it ends in relu: give the last layer the activation softmax"),
        (("softmax", 1), "a softmax over one number, which is always 1"),
        ((None, 1), "a model that predicts a number instead of a class cannot be served"),
    ],
)
def test_ends_that_give_no_probabilities(run, tmp_path, end, advice):
    activation, classes = end
    functional(activation=activation, classes=classes)(tmp_path / "model.keras")
    refused = run(tmp_path / "model.keras", "--labels", "a,b" if classes == 1 else "a,b,c", "--input-range", "0..1")
    assert refused.code == 1
    assert advice in refused.error


def test_recurrent_layers_are_named_as_such(run, tmp_path):
    import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((28, 28)), layers.LSTM(4), layers.Dense(3, activation="softmax")])
    model.save(tmp_path / "model.keras")
    assert "a recurrent layer loops over its input" in run(tmp_path / "model.keras", "--labels", "a,b,c").error


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
