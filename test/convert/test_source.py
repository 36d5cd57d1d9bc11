"""The file, zip or folder that the user has, and where its release goes."""

import zipfile
from pathlib import Path

import pytest

from convert import convert
from convert.errors import ConversionError
from convert.source import find_source
from networks import sigmoid_network


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.h5", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer.*git lfs pull"),
        ("model.h5", b"<!DOCTYPE html><html>", "web page.*download the raw file"),
        ("model.keras", b"\x80\x04\x95", "pickle"),
        ("model.json", b'{"class_name": "Sequential"}', "without weights"),
        ("model.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite.*Tensorflow, Keras"),
        ("saved_model.pb", b"\x08\x01", "SavedModel"),
        ("model.json", b'{"format": "layers-model", "modelTopology": {}}', "TensorFlow.js.*model.save"),
        ("model.h5", b"\n <html>", "web page"),
        ("model.pth", b"\x80\x02", "PyTorch.*train the network again in Keras"),
        ("model.h5", b"", "is empty: download it again"),
        ("model.rar", b"Rar!", "a compressed archive: unpack it"),
        ("model.h5.gz", b"\x1f\x8b\x08", "a compressed archive: unpack it"),
        ("model.bin", b"?", "not a readable Keras file"),
        ("model.safetensors", b"\x50\0\0\0\0\0\0\0{", "PyTorch.*train the network again in Keras"),
        ("train.ipynb", b'{"cells": []}', "a notebook: run it, and pass the file"),
        ("train.py", b"import keras", "a Python program: run it, and pass the file"),
        ("cp.ckpt.index", b"\0", r"a TensorFlow checkpoint: .* model\.load_weights"),
    ],
)
def test_says_what_it_is_instead(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConversionError, match=reason):
        find_source(tmp_path / name)


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return path


HDF5 = b"\x89HDF\r\n\x1a\n"


def test_finds_the_model_in_a_zip(tmp_path):
    members = {"export__keras_model_dot_h5": HDF5, "export__labels_dot_txt": b"0 a", "export__readme_dot_md": b""}
    source = find_source(zipped(tmp_path / "pets.zip", **members))
    assert (source.path.name, source.title, source.kind, source.teachable) == ("keras_model.h5", "pets", "hdf5", True)
    assert source.labels == b"0 a"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"a_dot_h5": HDF5, "b_dot_h5": HDF5}, "several models"),
        ({"model_dot_json": b"{}", "weights_dot_bin": b""}, "TensorFlow.js.*Tensorflow, Keras"),
        ({"model_unquant_dot_tflite": b""}, "TensorFlow Lite"),
        ({"archive__data_dot_pkl": b""}, "PyTorch"),
        ({"vit__config_dot_json": b"{}", "vit__model_dot_safetensors": b""}, "PyTorch"),
        ({"cp_dot_ckpt_dot_index": b"", "checkpoint": b""}, r"TensorFlow checkpoint.*model\.load_weights"),
        ({"readme_dot_md": b""}, "no Keras file"),
    ],
)
def test_refuses_zips_without_one_model(tmp_path, members, reason):
    with pytest.raises(ConversionError, match=reason):
        find_source(zipped(tmp_path / "x.zip", **members))


def test_refuses_the_folder_of_a_saved_model(tmp_path):
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "keras_metadata.pb", "fingerprint.pb"):
        (folder / name).write_bytes(b"\x08\x01")
    with pytest.raises(ConversionError, match=r"saved contains a TensorFlow SavedModel.*model\.save\('model\.keras'\)"):
        find_source(folder)


@pytest.mark.parametrize("name", ["class_indices.json", "labels.txt", "classes.csv"])
def test_finds_labels_in_folders_and_zips(tmp_path, name):
    folder = tmp_path / "pets"
    folder.mkdir()
    (folder / "pets.h5").write_bytes(HDF5)
    (folder / name).write_bytes(b"0 a")
    zipped(tmp_path / "pets.zip", pets_dot_h5=HDF5, **{name.replace(".", "_dot_"): b"0 a"})
    for path in (folder, tmp_path / "pets.zip"):
        source = find_source(path)
        assert (source.labels, source.teachable) == (b"0 a", False)


def test_a_zip_cannot_unpack_without_end(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.h5", bytes(70 * 2**20))
    with pytest.raises(ConversionError, match=r"exceeds 64 MiB"):
        find_source(tmp_path / "x.zip")


def test_names_and_folders_follow_from_the_file(tmp_path):
    (tmp_path / "My Pets").mkdir()
    for argument, name in ((tmp_path / "My Pets", "my-pets"), ("Blatt_v2.keras", "blatt-v2"), ("模型.h5", "model")):
        options = convert.parse([str(argument)])
        assert (options.name, options.out) == (name, convert.ROOT / "models" / name)


def test_only_the_committed_release_goes_to_its_folder():
    release = convert.ROOT / "model/release"
    assert convert.parse([]).out == release
    assert convert.parse([str(convert.COMMITTED)]).out == release
    assert convert.parse(["--name", "husky-lite", "other.h5"]).out == release
    assert convert.parse(["--out", "elsewhere"]).out == Path("elsewhere")
    assert [*convert.parse([]).labels.names] == ["husky", "not husky"]


def test_a_failure_of_the_library_is_one_line(run, tmp_path, monkeypatch):
    from convert import conversion

    def fail(*_arguments: object) -> None:
        raise ValueError("a long story\nthe reason")

    monkeypatch.delenv("HUSKY_TRACEBACK", raising=False)
    monkeypatch.setattr(conversion, "to_onnx", fail)
    sigmoid_network().save(tmp_path / "model.keras")
    assert run(tmp_path / "model.keras").error == "Not converted: ValueError: the reason"
