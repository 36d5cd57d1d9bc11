"""Reads labels: from the command line, or from a file as people have them."""

import ast
import csv
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from convert.errors import ConversionError

MAX_LABEL = 200
NUMBERED = re.compile(r"(\d+)(?:\s*[:,;.)=\t-]\s*|\s+)(\S.*)")
NUMBERED_LAST = re.compile(r"(\S.*?)\s*[:,;=\t]\s*(\d+)")
# Where files that hold more than labels have them.
NAMES = ("labels", "classes", "class_names", "class_indices")
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
    """Return the labels in a file: one a line, or with class numbers (``0 Cat``, ``cat,0``), or a list or map.

    Numbered lines may follow a header, as in CSV. A list or map is JSON, or printed by Python. A map has class numbers
    as keys (``{"0": "cat"}``) or as values (``{"cat": 0}``, Keras's ``class_indices``), or has the labels under a name
    such as ``classes``. Raises ``ConversionError`` if it is none of these.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConversionError("the labels are not UTF-8 text: save the file as UTF-8") from None
    if text.lstrip()[:1] in ("[", "{"):
        return _read_structure(_parse_structure(text))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = _read_numbered(lines) or _read_numbered(lines[1:])
    if numbered:
        return _check(numbered, numbered=True)
    return parse_labels(lines[0]) if len(lines) == 1 else _check(lines)


def _read_numbered(lines: list[str]) -> list[str] | None:
    """Return the labels by number, if each line has one label and the numbers count from 0 or 1."""
    for pattern, number, name in ((NUMBERED, 1, 2), (NUMBERED_LAST, 2, 1)):
        matches = [match for line in lines if (match := pattern.fullmatch(line))]
        by_number = {int(match[number]): match[name].strip().strip('"') for match in matches}
        if len(lines) > 1 and len(by_number) == len(lines) and min(by_number) <= 1:
            ordered = sorted(by_number)
            if ordered == list(range(ordered[0], ordered[0] + len(lines))):
                return [by_number[number] for number in ordered]
    return None


def _parse_structure(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise ConversionError("the labels look like JSON, but are not valid") from None


def _read_structure(content: Any) -> Labels:
    if isinstance(content, list):
        return _check([str(name) for name in content])
    named = [content[key] for key in NAMES if isinstance(content.get(key), list | dict)]
    if named:
        return _read_structure(named[0])
    try:
        if all(isinstance(value, int) for value in content.values()):
            numbers = {value: str(name) for name, value in content.items()}
        else:
            # ImageNet's class index has [synset, name].
            numbers = {int(key): value[-1] if isinstance(value, list) else value for key, value in content.items()}
    except (ValueError, TypeError, IndexError):
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
