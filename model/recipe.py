"""What a recipe file such as ``husky.toml`` says."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distillation import Plan
from slimming import Slimming


class RecipeError(Exception):
    """The file is not a recipe; the message says why."""


@dataclass(frozen=True)
class Teacher:
    """The network that is learnt from, the size at which it looks, and which of ImageNet's classes are the positive."""

    variant: str
    size: int
    classes: list[int]


@dataclass(frozen=True)
class Knowledge:
    """How much of ImageNet's classifier is served beside what was learnt: classes kept, and rows for all others."""

    keep: int
    clusters: int


@dataclass(frozen=True)
class Kind:
    """Photos that are treated alike: by their names, how many views each gives, and their share of a batch.

    ``label_weight`` is the recipe's unless the kind has its own.
    """

    patterns: list[str]
    views: int
    share: float
    label_weight: float


@dataclass(frozen=True)
class Candidate:
    """A network to compare the default one with: slimmed, cut, and taught for ``epochs`` more."""

    name: str
    size: int
    slim: list[int]
    """The blocks that get the smaller kernel."""
    blocks: int
    epochs: int
    learning_rate: float
    precisions: list[str]


@dataclass(frozen=True)
class Recipe:
    """All of a recipe; ``kinds`` are the negatives' that have patterns, the first that fits counts."""

    size: int
    prior: float
    junk: float
    teacher: Teacher
    knowledge: Knowledge
    positive: Kind
    kinds: dict[str, Kind]
    other: Kind
    plan: Plan
    slimming: Slimming
    groups: dict[str, list[str]]
    sources: dict[str, list[str]]
    """Where the positives come from."""
    candidates: list[Candidate]


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in ``path``. Raises ``RecipeError`` for a file that is none, ``OSError`` for one unread."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        entries, weight = content.pop("kinds"), content.pop("label_weight")
        kinds = {name: _kind(entry, weight) for name, entry in entries.items()}
        return Recipe(
            teacher=Teacher(**content.pop("teacher")),
            knowledge=Knowledge(**content.pop("knowledge")),
            positive=kinds.pop("positive"),
            other=kinds.pop("other"),
            kinds=kinds,
            plan=Plan(**content.pop("training")),
            slimming=Slimming(**content.pop("slimming")),
            candidates=[Candidate(**entry) for entry in content.pop("candidates", [])],
            **content,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise RecipeError(f"{path.name}: {error}") from error


def _kind(entry: dict[str, Any], label_weight: float) -> Kind:
    return Kind(**{"patterns": [], "label_weight": label_weight, **entry})
