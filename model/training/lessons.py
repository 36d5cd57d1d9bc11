"""Turns a folder of photos into the lessons of the default network."""

import hashlib
from functools import cache as cache_once
from pathlib import Path

import numpy as np

from convert import junk
from model.training import efficientnet_lite as lite
from model.training.dataset import Photos, find_group
from model.training.distillation import Lessons
from model.training.parts import compute_in_parts
from model.training.photos import Views, draw_views, read_views
from model.training.recipe import Kind, Recipe
from model.training.teacher import build_embedder, embed, imagenet_log_probabilities, judge

POSITIVE, OTHER = "positive", "other"
JUNK_PICTURES = 400
PART = 512
"""Photos: about half a minute of the teacher's time."""


def prepare(
    photos: Photos, recipe: Recipe, cache: Path, progress: bool = False, left_out: np.ndarray | None = None
) -> Lessons:
    """Return the views of ``photos`` and their targets: the labels or, if ``recipe`` says so, the teacher's judgement.

    The teacher's embeddings take many minutes and are cached in the folder ``cache``. Neither the network nor the
    teacher learns from photos that are ``left_out`` (N,). Raises ``OSError`` for a photo that cannot be read.
    """
    kinds = {POSITIVE: recipe.positive, **recipe.kinds, OTHER: recipe.other}
    kind = np.array([_find_kind(path, label, recipe) for path, label in zip(photos.paths, photos.labels, strict=True)])
    views = draw_views(np.array([kinds[name].views for name in kind]), recipe.plan.seed)
    kept = np.ones(len(views.photo), bool) if left_out is None else ~left_out[views.photo]
    photo = views.photo[kept]
    labels = photos.labels[photo]
    trusted = np.array([kinds[name].label_weight for name in kind])[photo]
    drawn = _draw_junk(recipe)
    score, imagenet = labels, np.empty((0, lite.CLASSES), np.float16)
    if recipe.teacher.asked:
        embeddings = _load_embeddings(photos.paths, views, recipe, cache, progress)[kept]
        known = imagenet_log_probabilities(embeddings, recipe.teacher.variant)
        judged = judge(embeddings, known, labels, photo, recipe.teacher.classes, recipe.plan.seed)
        score = (1 - trusted) * judged + trusted * labels
        # On junk images the teacher's classes would be guesses, so they are uniform.
        uniform = np.full((len(drawn), lite.CLASSES), 1 / lite.CLASSES)
        imagenet = np.concatenate([np.exp(known), uniform]).astype(np.float16)
    read = read_views(photos.paths, views, recipe.size)
    pixels = np.concatenate([own for place, own in enumerate(read) if left_out is None or not left_out[place]])
    return Lessons(
        pixels=np.concatenate([pixels, drawn]),
        share=_share_out(kind[photo], kinds, len(drawn), recipe.junk),
        score=np.concatenate([score, np.zeros(len(drawn))]).astype(np.float32),
        imagenet=imagenet,
    )


def _find_kind(path: Path, label: float, recipe: Recipe) -> str:
    if label == 1:
        return POSITIVE
    found = find_group(path, {name: kind.patterns for name, kind in recipe.kinds.items()})
    return found if found in recipe.kinds else OTHER


def _load_embeddings(paths: list[Path], views: Views, recipe: Recipe, cache: Path, progress: bool) -> np.ndarray:
    teacher = recipe.teacher
    key = hashlib.sha256(repr((teacher.variant, teacher.size)).encode())
    for path, boxes, mirrored, count in zip(paths, views.boxes, views.mirrored, views.counts, strict=True):
        key.update(f"{path.name} {path.stat().st_size} ".encode())
        key.update(boxes[:count].tobytes() + mirrored[:count].tobytes())
    embedder = cache_once(lambda: build_embedder(teacher.variant, teacher.size))
    return compute_in_parts(
        cache / f"teacher-{key.hexdigest()[:16]}.npy",
        len(paths),
        PART,
        lambda chosen: embed(paths[chosen], views.select(chosen), embedder(), teacher.size),
        progress,
    ).astype(np.float32)


def _draw_junk(recipe: Recipe) -> np.ndarray:
    count = JUNK_PICTURES if recipe.junk > 0 else 0
    if count == 0:
        return np.empty((0, recipe.size, recipe.size, 3), np.uint8)
    images = junk.draw_images(count, recipe.plan.seed, recipe.size, recipe.size)
    return np.round(images * 255).astype(np.uint8)


def _share_out(kind: np.ndarray, kinds: dict[str, Kind], junk_count: int, junk_share: float) -> np.ndarray:
    """Spread each kind's share of a batch over its views; a kind without photos leaves its share to the others."""
    share = np.zeros(len(kind))
    for name, wanted in kinds.items():
        own = kind == name
        if own.any():
            share[own] = wanted.share / own.sum()
    share = np.concatenate([share, np.full(junk_count, junk_share / max(1, junk_count))])
    return share / share.sum()
