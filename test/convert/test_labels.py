"""Labels as people have them."""

import json

import pytest

from convert.errors import ConversionError
from convert.labels import parse_labels, parse_labels_file


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat,dog", ("cat", "dog")),
        (' cat , "dog, asleep" ', ("cat", "dog, asleep")),
        ("👩‍🚒,naïve", ("👩‍🚒", "naïve")),
    ],
)
def test_reads_labels_between_commas(text, names):
    assert parse_labels(text).names == names


@pytest.mark.parametrize(
    ("content", "names", "numbered"),
    [
        ("cat\ndog, asleep\n", ("cat", "dog, asleep"), False),
        ("0 Cat\n1 Dog Two\n", ("Cat", "Dog Two"), True),
        ("\ufeff1: Dog\r\n0: Cat\r\n", ("Cat", "Dog"), True),
        ("1. cat\n2. dog\n", ("cat", "dog"), True),
        ("101 dalmatians\nlady and the tramp", ("101 dalmatians", "lady and the tramp"), False),
        ("0\n1\n2", ("0", "1", "2"), False),
        ("id,label\n0,cat\n1,dog\n", ("cat", "dog"), True),
        ("cat;1\ndog;0\n", ("dog", "cat"), True),
        ("cat: 0\ndog: 1\n", ("cat", "dog"), True),
        ("cat, dog, emu\n", ("cat", "dog", "emu"), False),
        ("3 bears\n7 dwarfs\n", ("3 bears", "7 dwarfs"), False),
        ("{'cat': 0, 'dog': 1}", ("cat", "dog"), True),
        ("{0: 'cat', 1: 'dog'}", ("cat", "dog"), True),
        (json.dumps({"version": 2, "labels": ["a", "b"]}), ("a", "b"), False),
        (json.dumps(["a", "b"]), ("a", "b"), False),
        (json.dumps({"1": "b", "0": "a"}), ("a", "b"), True),
        (json.dumps({"b": 1, "a": 0}), ("a", "b"), True),
        (json.dumps({"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}), ("tench", "goldfish"), True),
    ],
)
def test_reads_files_of_labels(content, names, numbered):
    found = parse_labels_file(content.encode())
    assert (found.names, found.numbered) == (names, numbered)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"cat\ncat", "only once"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "JSON"),
        (b'{"a": 1, "b": 2}', "must be 0 to 1"),
        (b'{"a": "x"}', "must be a list, or a map"),
        (b"x" * 201, "1 to 200 printable"),
        (b"a\x07b", "printable"),
    ],
)
def test_refuses_other_files(content, reason):
    with pytest.raises(ConversionError, match=reason):
        parse_labels_file(content)


def test_a_file_of_labels_beside_the_command(run, binary_h5, tmp_path):
    (tmp_path / "classes.json").write_text(json.dumps({"cats": 0, "dogs": 1}))
    done = run(binary_h5, "--labels-file", str(tmp_path / "classes.json"))
    assert done.code == 0, done.error
    # One sigmoid is the probability of class 1, and the positive label comes first.
    assert done.manifest["labels"] == ["dogs", "cats"]


def test_refuses_to_guess_labels(run, binary_h5):
    refused = run(binary_h5, labels=False)
    assert "needs 2 labels (positive, negative), given none: pass --labels" in refused.error
