"""A file that carries code, foreign classes or links is refused before Keras opens it."""

import json
import zipfile

import h5py
import keras
import pytest

import inspect_file
from inspect_file import ConversionError
from networks import sigmoid_network, softmax_network


def boobytrapped(marker) -> keras.layers.Layer:
    """Return a Lambda layer that writes ``marker`` when it runs."""
    return keras.layers.Lambda(
        eval(f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]"), output_shape=(8,), name="harmless"
    )


def head(*layers: keras.layers.Layer, name: str = "head") -> keras.Sequential:
    return keras.Sequential([keras.Input((8,)), *layers, keras.layers.Dense(1, activation="sigmoid")], name=name)


def whole(inner: keras.layers.Layer) -> keras.Sequential:
    """Return a network over pictures that ends in ``inner``."""
    first = [keras.Input((24, 24, 3)), keras.layers.Flatten(), keras.layers.Dense(8)]
    return keras.Sequential([*first, inner], name="outer")


@keras.saving.register_keras_serializable(package="elsewhere")
class Doubled(keras.layers.Layer):
    """A layer of somebody's own."""

    def call(self, inputs):
        return inputs * 2


def rewrite_config(path, change):
    """Change the configuration inside a .h5 as an attacker would."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_lambda_layer_never_runs(run, tmp_path, suffix, nested):
    marker = tmp_path / "ran"
    trap = boobytrapped(marker)
    path = tmp_path / f"trap.{suffix}"
    whole(head(trap) if nested else trap).save(path)
    marker.unlink(missing_ok=True)
    refused = run(path)
    assert refused.code == 1
    assert "'harmless' (Lambda) in " in refused.error
    assert ("'head' (Sequential)" in refused.error) == nested
    assert "runs code" in refused.error
    assert not marker.exists()
    assert not refused.out.exists()

    # The trap is a real one: without the inspection, loading and calling the file springs it.
    model = keras.models.load_model(path, compile=False, safe_mode=False)
    model(keras.ops.zeros((1, 24, 24, 3)))
    assert marker.exists()


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_custom_layer_is_refused_though_it_is_registered_here(run, tmp_path, suffix):
    whole(head(Doubled(name="twice"))).save(tmp_path / f"custom.{suffix}")
    refused = run(tmp_path / f"custom.{suffix}")
    assert refused.code == 1
    assert "'twice' (" in refused.error
    assert "Doubled" in refused.error


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda layer: layer.update(class_name="TFOpLambda"), "runs code from the file"),
        (lambda layer: layer.update(class_name="TFSMLayer"), "not one of the Keras layers"),
        (lambda layer: layer.update(class_name=["Dense"]), "not one of the Keras layers"),
        (lambda layer: layer.update(module=["keras"]), "from module"),
        (lambda layer: layer.update(module="subprocess"), "from module 'subprocess'"),
        (lambda layer: layer.update(registered_name="elsewhere>Dense"), "registered as 'elsewhere>Dense'"),
        (
            lambda layer: layer["config"].update(
                activation={"class_name": "function", "config": "run", "module": "subprocess", "registered_name": "run"}
            ),
            "not one of Keras's own activations",
        ),
        (
            lambda layer: layer["config"].update(kernel_initializer={"class_name": "__lambda__", "config": {}}),
            "runs code from the file",
        ),
        (
            lambda layer: layer["config"].update(extra=[[{"deep": {"class_name": "Popen", "config": {}}}]]),
            "Popen in ",
        ),
    ],
)
def test_whatever_is_not_keras_is_refused_wherever_it_hides(binary_h5, change, reason):
    rewrite_config(binary_h5, lambda config: change(config["config"]["layers"][-1]))
    with pytest.raises(ConversionError, match=reason):
        inspect_file.inspect_file(binary_h5)


def test_a_configuration_nested_without_end_is_refused(binary_h5):
    deep = b'{"class_name": "Sequential", "config": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    with h5py.File(binary_h5, "r+") as file:
        file.attrs["model_config"] = deep
    with pytest.raises(ConversionError, match=r"JSON|nested"):
        inspect_file.inspect_file(binary_h5)


def test_weights_alone_are_no_model(run, tmp_path):
    sigmoid_network().save_weights(tmp_path / "only.weights.h5")
    refused = run(tmp_path / "only.weights.h5")
    assert refused.code == 1
    assert "weights but no model" in refused.error


def test_a_link_to_another_file_is_refused(binary_h5):
    with h5py.File(binary_h5, "r+") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("/etc/hostname", "/")
    with pytest.raises(ConversionError, match="'elsewhere' in the HDF5 file is a link"):
        inspect_file.inspect_file(binary_h5)


def test_weights_kept_in_another_file_are_refused(binary_h5, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(binary_h5, "r+") as file:
        file["model_weights"].create_dataset("raw", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(ConversionError, match="'raw' in the HDF5 file is kept in another file"):
        inspect_file.inspect_file(binary_h5)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "model.keras"
    sigmoid_network().save(path)
    return path


def test_a_keras_archive_with_other_files_is_refused(archive):
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("assets/vocabulary.txt", "x")
    with pytest.raises(ConversionError, match="other files than a model's"):
        inspect_file.inspect_file(archive)


def test_a_keras_archive_with_two_configurations_is_refused(archive):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(archive, "a") as file:
        file.writestr("config.json", "{}")
    with pytest.raises(ConversionError, match="other files than a model's"):
        inspect_file.inspect_file(archive)


def test_a_configuration_that_unpacks_too_large_is_refused(tmp_path, archive):
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model.weights.h5", source.read("model.weights.h5"))
        file.writestr("config.json", b" " * (inspect_file.MAX_CONFIG_BYTES + 1))
    assert bomb.stat().st_size < 200_000
    with pytest.raises(ConversionError, match="over 16 MiB"):
        inspect_file.inspect_file(bomb)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_a_file_of_something_else_is_one_line(run, tmp_path, name):
    (tmp_path / name).write_bytes(b"hello" * 100)
    refused = run(tmp_path / name)
    assert refused.code == 1
    assert "not a readable" in refused.error
    assert len(refused.error.splitlines()) == 1


def test_other_formats_are_named(run, tmp_path):
    (tmp_path / "model.pb").write_bytes(b"")
    assert "not '.pb'" in run(tmp_path / "model.pb").error


def test_a_broken_file_with_a_good_configuration_is_one_line(run, binary_h5):
    with h5py.File(binary_h5, "r+") as file:
        del file["model_weights"]
    refused = run(binary_h5)
    assert refused.code == 1
    assert refused.error.startswith("Not converted: Keras cannot load it")
    assert len(refused.error.splitlines()) == 1


def test_a_compiled_model_with_a_loss_of_its_own_passes(tmp_path):
    """Nothing of the training configuration is loaded, so it does no harm."""
    model = softmax_network(24, 24, 3)
    model.compile(loss=lambda _truth, guess: guess, optimizer="adam")
    with pytest.warns(UserWarning, match="lambda"):
        model.save(tmp_path / "compiled.keras")
    inspect_file.inspect_file(tmp_path / "compiled.keras")


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_network_from_keras_applications_passes(tmp_path, suffix):
    model = keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), alpha=0.35, classes=3)
    model.save(tmp_path / f"mobile.{suffix}")
    inspect_file.inspect_file(tmp_path / f"mobile.{suffix}")
