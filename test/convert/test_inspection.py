"""Files with code, foreign classes or links are refused before Keras opens them."""

import io
import json
import warnings
import zipfile

import h5py
import keras
import pytest

from convert import inspection
from convert.errors import ConversionError
from convert.inspection import inspect_file
from convert.keras_file import load_model
from networks import sigmoid_network, softmax_network


def boobytrapped(marker) -> keras.layers.Layer:
    """Return a Lambda layer that writes ``marker`` when it runs."""
    return keras.layers.Lambda(
        eval(f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]"), output_shape=(8,), name="harmless"
    )


def head(*layers: keras.layers.Layer, name: str = "head") -> keras.Sequential:
    return keras.Sequential([keras.Input((8,)), *layers, keras.layers.Dense(1, activation="sigmoid")], name=name)


def whole(inner: keras.layers.Layer) -> keras.Sequential:
    """Return a network over images that ends in ``inner``."""
    first = [keras.Input((24, 24, 3)), keras.layers.Flatten(), keras.layers.Dense(8)]
    return keras.Sequential([*first, inner], name="outer")


@keras.saving.register_keras_serializable(package="elsewhere")
class Doubled(keras.layers.Layer):
    """A custom layer."""

    def call(self, inputs):
        return inputs * 2


created: list[object] = []


@keras.saving.register_keras_serializable(package="elsewhere")
class Marking(keras.regularizers.Regularizer):
    """A custom regularizer that leaves a mark."""

    def __init__(self):
        created.append(self)

    def __call__(self, weights):
        return 0.0 * keras.ops.sum(weights)

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable(package="elsewhere")
class MarkingInitializer(keras.initializers.Zeros):
    """A custom initializer that leaves a mark."""

    def __init__(self):
        created.append(self)


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
    assert "run code" in refused.error
    assert not marker.exists()
    assert not refused.out.exists()

    # The trap works: without the inspection, loading and calling the model springs it.
    model = keras.models.load_model(path, compile=False, safe_mode=False)
    model(keras.ops.zeros((1, 24, 24, 3)))
    assert marker.exists()


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_refuses_a_custom_layer_even_if_it_is_registered_here(run, tmp_path, suffix):
    whole(head(Doubled(name="twice"))).save(tmp_path / f"custom.{suffix}")
    refused = run(tmp_path / f"custom.{suffix}")
    assert refused.code == 1
    assert "'twice' (" in refused.error
    assert "Doubled" in refused.error


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda layer: layer.update(class_name="TFOpLambda"), "would run code from the file"),
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
            "would run code from the file",
        ),
        (
            lambda layer: layer["config"].update(extra=[[{"deep": {"class_name": "Popen", "config": {}}}]]),
            "Popen in ",
        ),
    ],
)
def test_refuses_anything_foreign_wherever_it_hides(binary_h5, change, reason):
    rewrite_config(binary_h5, lambda config: change(config["config"]["layers"][-1]))
    with pytest.raises(ConversionError, match=reason):
        inspect_file(binary_h5)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("Lambda", r"Lambda layer, .* Rescaling\(1 / 255\) for x / 255"),
        ("KerasLayer", "TensorFlow Hub; build the model with keras.applications"),
        ("StringLookup", "it is for text or tables"),
        ("MelSpectrogram", "it is for sound"),
        ("TFSMLayer", "a network from outside Keras"),
        ("GRUCell", "a recurrent layer"),
        ("QuantizeWrapperV2", "before quantize_model"),
        ("PruneLowMagnitude", "strip_pruning"),
        ("ModuleWrapper", "layers of both keras and tf.keras"),
    ],
)
def test_says_what_a_known_layer_is(binary_h5, kind, advice):
    rewrite_config(binary_h5, lambda config: config["config"]["layers"][-1].update(class_name=kind))
    with pytest.raises(ConversionError, match=advice) as refused:
        inspect_file(binary_h5)
    assert "custom layer" not in str(refused.value)


@pytest.mark.parametrize("kind", ["PatchEncoder", "LayerNorm"])
def test_says_what_to_do_about_a_custom_layer(binary_h5, kind):
    """Even if an operation of Keras has the same name."""
    custom = {"class_name": kind, "module": "patches", "registered_name": f"patches>{kind}"}
    rewrite_config(binary_h5, lambda config: config["config"]["layers"][-1].update(custom))
    with pytest.raises(ConversionError, match="a custom layer needs its code: build the model of Keras's own layers"):
        inspect_file(binary_h5)


def test_says_where_the_model_of_several_gpus_is(binary_h5):
    shares = {"class_name": "Lambda", "config": {"name": "slice", "arguments": {"i": 0, "parts": 2}}}
    rewrite_config(binary_h5, lambda config: config["config"]["layers"][-1].update(shares))
    with pytest.raises(ConversionError, match="save the model that was passed to multi_gpu_model"):
        inspect_file(binary_h5)


@pytest.mark.parametrize("mode", [1, 2])
def test_refuses_a_normalisation_of_keras_1_that_depends_on_other_photos(binary_h5, mode):
    normalisation = {"class_name": "BatchNormalization", "config": {"name": "normal", "mode": mode}}
    rewrite_config(binary_h5, lambda config: config["config"]["layers"][-1].update(normalisation))
    with h5py.File(binary_h5, "r+") as file:
        file.attrs["keras_version"] = "1.2.2"
    with pytest.raises(ConversionError, match=rf"'normal' \(BatchNormalization\): mode {mode} of Keras 1"):
        inspect_file(binary_h5)


def test_code_in_a_file_of_keras_1_stays_code(binary_h5):
    rewrite_config(binary_h5, lambda config: config["config"]["layers"][-1].update(class_name="Lambda"))
    with h5py.File(binary_h5, "r+") as file:
        file.attrs["keras_version"] = "1.2.2"
    with pytest.raises(ConversionError, match="a Lambda layer, which would run code"):
        inspect_file(binary_h5)


def test_refuses_code_as_an_activation(binary_h5):
    """Keras writes a lambda so; it has no class name."""
    code = {"value": ["4wEAAAA=", None, None]}
    rewrite_config(binary_h5, lambda config: config["config"]["layers"][-1]["config"].update(activation=code))
    with pytest.raises(ConversionError, match="a function of the author's own; build the model of Keras's own layers"):
        inspect_file(binary_h5)


def test_refuses_flipped_kernels(binary_h5):
    with h5py.File(binary_h5, "r+") as file:
        file.attrs["backend"] = "theano"
    with pytest.raises(ConversionError, match=r"open it with Keras 2\.2 on TensorFlow"):
        inspect_file(binary_h5)


def test_refuses_a_network_that_is_too_large_before_keras_opens_it(binary_h5, monkeypatch):
    """The optimizer's copies do not count."""
    monkeypatch.setattr("convert.hdf5.ALWAYS_ALLOWED", 2**30)
    with h5py.File(binary_h5, "r+") as file:
        data = {"shape": (4000, 5000), "dtype": "f4", "chunks": (100, 100)}
        file.create_dataset("optimizer_weights/huge", **data)
    inspect_file(binary_h5)
    with h5py.File(binary_h5, "r+") as file:
        file.create_dataset("model_weights/huge", **data)
    with pytest.raises(ConversionError, match=r"20\.\d million weights take 80 MB, twice"):
        inspect_file(binary_h5)


def test_drops_what_only_training_uses(binary_h5):
    """A custom class there is not loaded, and its configuration is gone from what is."""
    own = {"class_name": "Popen", "module": "subprocess", "registered_name": "own>Popen", "config": {"args": "x"}}
    rewrite_config(binary_h5, lambda config: config["config"]["layers"][-1]["config"].update(kernel_regularizer=own))
    assert "Popen" not in json.dumps(inspect_file(binary_h5).config)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_custom_regularizer_never_runs(run, tmp_path, suffix):
    """Not even where it could be imported: Keras opens a copy without it."""
    model = head(keras.layers.Dense(4, kernel_regularizer=Marking(), kernel_initializer=MarkingInitializer()))
    path = tmp_path / f"custom.{suffix}"
    whole(model).save(path)
    created.clear()
    assert load_model(path).count_params() == whole(model).count_params()
    assert run(path).code == 0
    assert not created

    # The trap works: Keras alone springs it.
    keras.models.load_model(path, compile=False)
    assert {type(each) for each in created} == {Marking, MarkingInitializer}


def test_refuses_an_endlessly_nested_configuration(binary_h5):
    deep = b'{"class_name": "Sequential", "config": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    with h5py.File(binary_h5, "r+") as file:
        file.attrs["model_config"] = deep
    with pytest.raises(ConversionError, match=r"JSON|nested"):
        inspect_file(binary_h5)


def test_refuses_weights_without_a_model(run, tmp_path):
    sigmoid_network().save_weights(tmp_path / "only.weights.h5")
    refused = run(tmp_path / "only.weights.h5")
    assert refused.code == 1
    assert "weights but no model" in refused.error


def test_tells_data_from_weights(tmp_path):
    with h5py.File(tmp_path / "train.h5", "w") as file:
        file["photos"] = [0, 1]
    with pytest.raises(ConversionError, match="contains data, such as photos, but no Keras model"):
        inspect_file(tmp_path / "train.h5")


def test_refuses_a_link_to_another_file(binary_h5):
    with h5py.File(binary_h5, "r+") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("/etc/hostname", "/")
    with pytest.raises(ConversionError, match="'elsewhere' in the HDF5 file is a link"):
        inspect_file(binary_h5)


def test_refuses_weights_in_another_file(binary_h5, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(binary_h5, "r+") as file:
        file["model_weights"].create_dataset("raw", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(ConversionError, match="'raw' in the HDF5 file is stored in another file"):
        inspect_file(binary_h5)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "model.keras"
    sigmoid_network().save(path)
    return path


def test_refuses_a_keras_archive_with_other_files(archive):
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("assets/vocabulary.txt", "x")
    with pytest.raises(ConversionError, match="files other than a model's"):
        inspect_file(archive)


def test_refuses_a_keras_archive_with_two_configurations(archive):
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(archive, "a") as file:
        file.writestr("config.json", "{}")
    with pytest.raises(ConversionError, match="files other than a model's"):
        inspect_file(archive)


def test_refuses_layers_of_the_same_number(tmp_path):
    """TensorFlow 2.13 numbered layers otherwise, so they are renamed."""
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        for name in ("dense_2", "dense_0"):
            file.create_group(f"_layer_checkpoint_dependencies/{name}")
    inspected = inspection.Inspected("keras", "2.13.1", {}, stored.getvalue())
    with pytest.raises(ConversionError, match="it is damaged"):
        inspection.write_inspected(inspected, tmp_path / "copy.keras")


def test_refuses_a_configuration_that_unpacks_too_large(tmp_path, archive):
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model.weights.h5", source.read("model.weights.h5"))
        file.writestr("config.json", b" " * (inspection.MAX_CONFIG_BYTES + 1))
    assert bomb.stat().st_size < 200_000
    with pytest.raises(ConversionError, match="exceeds 16 MiB"):
        inspect_file(bomb)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_reports_a_file_of_another_kind_in_one_line(run, tmp_path, name):
    (tmp_path / name).write_bytes(b"hello" * 100)
    refused = run(tmp_path / name)
    assert refused.code == 1
    assert "not a readable" in refused.error


def test_names_other_formats(run, tmp_path):
    (tmp_path / "model.pb").write_bytes(b"\x08")
    assert "not '.pb'" in run(tmp_path / "model.pb").error


def test_reports_a_broken_file_in_one_line(run, binary_h5):
    with h5py.File(binary_h5, "r+") as file:
        del file["model_weights"]
    refused = run(binary_h5)
    assert refused.code == 1
    assert refused.error.startswith("Not converted: Keras cannot load it")


def test_accepts_a_compiled_model_with_a_custom_loss(tmp_path):
    """The training configuration is never loaded, so it does no harm."""
    model = softmax_network(24, 24, 3)
    model.compile(loss=lambda _truth, guess: guess, optimizer="adam")
    with warnings.catch_warnings(action="ignore"):
        model.save(tmp_path / "compiled.keras")
    inspect_file(tmp_path / "compiled.keras")


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_accepts_a_network_from_keras_applications(tmp_path, suffix):
    model = keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), alpha=0.35, classes=3)
    model.save(tmp_path / f"mobile.{suffix}")
    inspect_file(tmp_path / f"mobile.{suffix}")
