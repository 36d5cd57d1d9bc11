"""Reads a training recipe such as ``husky.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.training.distillation import Plan
from model.training.probe import Probe
from model.training.slimming import Slimming
from model.training.strangers import Strangers


class RecipeError(Exception):
    """The file is not a valid recipe; the message says why."""


@dataclass(frozen=True)
class Teacher:
    """The network to learn from, its input size, and the ImageNet classes that are positive.

    Unless it is ``asked``, the targets are the labels and what the network itself knew of ImageNet.
    """

    asked: bool
    variant: str
    size: int
    classes: list[int]


@dataclass(frozen=True)
class Knowledge:
    """How much of ImageNet's classifier is served: its weight, the classes kept, and the rows for all others."""

    weight: float
    """Relative to what the network learnt."""
    keep: int
    clusters: int


@dataclass(frozen=True)
class Kind:
    """Photos with the same treatment: patterns of their names, views of each, and their share of a batch.

    ``label_weight`` defaults to the recipe's.
    """

    patterns: list[str]
    views: int
    share: float
    label_weight: float


@dataclass(frozen=True)
class Candidate:
    """A network to compare with the default one. Only its last layer is trained."""

    name: str
    size: int
    slim: list[int]
    """The blocks that get a smaller kernel."""
    precisions: list[str]


@dataclass(frozen=True)
class Recipe:
    """A complete recipe. ``kinds`` are the negative kinds with patterns; the first that matches applies."""

    size: int
    prior: float
    junk: float
    teacher: Teacher
    knowledge: Knowledge
    positive: Kind
    kinds: dict[str, Kind]
    other: Kind
    slimming: Slimming
    probe: Probe
    plan: Plan
    strangers: Strangers
    groups: dict[str, list[str]]
    sources: dict[str, list[str]]
    """The sources of the positives, by patterns."""
    candidates: list[Candidate]


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in ``path``. Raises ``RecipeError`` if it is invalid, ``OSError`` if it cannot be read."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        entries, weight = content.pop("kinds"), content.pop("label_weight")
        kinds = {name: _parse_kind(entry, weight) for name, entry in entries.items()}
        return Recipe(
            teacher=Teacher(**content.pop("teacher")),
            knowledge=Knowledge(**content.pop("knowledge")),
            positive=kinds.pop("positive"),
            other=kinds.pop("other"),
            kinds=kinds,
            slimming=Slimming(**content.pop("slimming")),
            probe=Probe(**content.pop("probe")),
            plan=Plan(**content.pop("training")),
            strangers=Strangers(**content.pop("strangers")),
            candidates=[Candidate(**entry) for entry in content.pop("candidates", [])],
            **content,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise RecipeError(f"{path.name}: {error}") from error


def _parse_kind(entry: dict[str, Any], label_weight: float) -> Kind:
    return Kind(**{"patterns": [], "label_weight": label_weight, **entry})
