"""Reads labels: from the command line, or from a file as people have them."""

import csv
import json
import re
import unicodedata
from dataclasses import dataclass

from convert.errors import ConversionError

MAX_LABEL = 200
NUMBERED = re.compile(r"(\d+)(?:\s*[:,;.)=\t-]\s*|\s+)(\S.*)")
# Joins emoji.
ZERO_WIDTH_JOINER = "\u200d"


@dataclass(frozen=True)
class Labels:
    """Labels in the order of the outputs; ``numbered`` says that the file gave each its class number."""

    names: tuple[str, ...]
    numbered: bool = False


def parse_labels(text: str) -> Labels:
    """Return comma-separated labels; a label that contains a comma is in double quotes."""
    rows = list(csv.reader([text], skipinitialspace=True))
    return _check([name.strip() for name in (rows[0] if rows else [])])


def parse_labels_file(content: bytes) -> Labels:
    """Return the labels in a file: one a line, numbered lines such as ``0 Cat``, or a JSON list or map.

    A map has class numbers as keys (``{"0": "cat"}``) or as values (``{"cat": 0}``, Keras's ``class_indices``).
    Raises ``ConversionError`` if it is none of these.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConversionError("the labels are not UTF-8 text") from None
    if text.lstrip()[:1] in ("[", "{"):
        return _parse_json(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    matches = [NUMBERED.fullmatch(line) for line in lines]
    if lines and all(matches):
        by_number = {int(match[1]): match[2].strip() for match in matches if match}
        for first in (0, 1):
            if sorted(by_number) == list(range(first, first + len(lines))):
                return _check([by_number[number] for number in sorted(by_number)], numbered=True)
    return _check(lines)


def _parse_json(text: str) -> Labels:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ConversionError("the labels look like JSON, but are not valid") from None
    if isinstance(content, list):
        return _check([str(name) for name in content])
    try:
        if all(isinstance(value, int) for value in content.values()):
            numbers = {value: name for name, value in content.items()}
        else:
            # ImageNet's class index has [synset, name].
            numbers = {int(key): value[-1] if isinstance(value, list) else value for key, value in content.items()}
    except (ValueError, IndexError):
        raise ConversionError("the labels' JSON must be a list, or a map between class numbers and labels") from None
    if sorted(numbers) != list(range(len(content))):
        raise ConversionError(f"the labels' numbers must be 0 to {len(content) - 1}, each once")
    return _check([str(numbers[number]) for number in sorted(numbers)], numbered=True)


def _check(names: list[str], *, numbered: bool = False) -> Labels:
    for name in names:
        if not 1 <= len(name) <= MAX_LABEL or any(_is_control(letter) for letter in name):
            raise ConversionError(f"each label needs 1 to {MAX_LABEL} printable characters, found {name[:80]!r}")
    twice = [name for name in names if names.count(name) > 1] if len(set(names)) != len(names) else []
    if twice:
        raise ConversionError(f"each label may occur only once, found {twice[0]!r} twice")
    return Labels(tuple(names), numbered)


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "CZ" and letter not in (" ", ZERO_WIDTH_JOINER)
