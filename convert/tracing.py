"""Traces the weights of a converted graph back to the variables of the Keras model they were made from.

A conversion transposes and reshapes kernels, scales each of their output channels by a normalisation that follows, and
merges that normalisation's offset into a bias. A weight that is rounded after the conversion can therefore be handed
back to Keras: the model that holds the rounded weights must then return what the rounded graph returns.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from convert.keras_file import Model, flatten_layers, kind_of, read_weights, to_numpy

# Relative. A conversion rounds a weight to float32 two or three times, each time by at most 6e-8.
TOLERANCE = 5e-7
# Enough elements to reject a wrong candidate quickly.
SAMPLE = 32


@dataclass(frozen=True)
class Kernel:
    """A weight that is a variable with the axes ``order``, reshaped, and times ``scale`` (of the weight's rank)."""

    variable: int
    order: tuple[int, ...]
    scale: np.ndarray

    def invert(self, weight: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return the value of the variable, now ``value``, from which the weight would be ``weight``."""
        scale = np.where(self.scale == 0, 1, self.scale)
        permuted = [value.shape[axis] for axis in self.order]
        return (weight / scale).reshape(permuted).transpose(np.argsort(self.order)).astype(np.float32)


@dataclass(frozen=True)
class Offset:
    """A bias that is merged with a normalisation: ``factor`` times a variable, its beta or mean, plus a constant."""

    variable: int
    constant: np.ndarray
    factor: np.ndarray

    def invert(self, weight: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return the value of the variable, now ``value``, from which the weight would be ``weight``."""
        return ((weight - self.constant) / self.factor).reshape(value.shape).astype(np.float32)


Origin = Kernel | Offset


def trace(weights: Mapping[str, np.ndarray], model: Model) -> dict[str, Origin]:
    """Return the origin of each of ``weights`` that follows from exactly one variable of ``model``.

    ``Origin.variable`` counts in ``model.weights``, whose order is the same each time the file is loaded.
    """
    values = read_weights(model)
    kernels = _find_kernels(weights, values)
    normalisations = list(_read_normalisations(model))
    origins: dict[str, Origin] = {}
    for name, weight in weights.items():
        exact = [kernel for kernel in kernels[name] if np.all(kernel.scale == 1)]
        candidates: list[Origin] = [*(exact or kernels[name])]
        if not candidates and weight.ndim == 1:
            candidates = list(_match_offsets(weight.astype(np.float64), normalisations, values))
        if len(candidates) == 1:
            origins[name] = candidates[0]
    return origins


def _find_kernels(weights: Mapping[str, np.ndarray], values: list[np.ndarray]) -> dict[str, list[Kernel]]:
    """Return the variables that each weight could be made of, by name."""
    found: dict[str, list[Kernel]] = {name: [] for name in weights}
    by_size: dict[int, list[str]] = defaultdict(list)
    for name, weight in weights.items():
        by_size[weight.size].append(name)
    for index, value in enumerate(values):
        left = set(by_size[value.size]) if value.dtype == np.float32 else set()
        for order in _orders(value.shape) if left else ():
            arranged = value.transpose(order).ravel()
            for name in sorted(left):
                scale = _match_scale(weights[name], arranged.reshape(weights[name].shape))
                if scale is not None:
                    found[name].append(Kernel(index, order, scale))
                    left.discard(name)
    return found


def _orders(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the orders of the axes that arrange the elements differently."""
    long = [axis for axis, length in enumerate(shape) if length > 1]
    short = [axis for axis, length in enumerate(shape) if length == 1]
    for order in permutations(long):
        yield (*order, *short)


def _match_scale(weight: np.ndarray, candidate: np.ndarray) -> np.ndarray | None:
    """Return what turns ``candidate`` into ``weight``: 1, or a factor for each index of the first or last axis."""
    if _are_close(weight.ravel()[:SAMPLE], candidate.ravel()[:SAMPLE]) and _are_close(weight, candidate):
        return np.ones([1] * weight.ndim)
    for axis in (0, weight.ndim - 1):
        length = weight.shape[axis]
        if length == weight.size:
            continue  # one element for each factor: any variable would fit
        rows = [np.moveaxis(part, axis, 0) for part in (weight, candidate)]
        # The first channel rejects nearly every wrong candidate.
        if _fit_scale(*(row[:1].reshape(1, -1)[:, :SAMPLE].astype(np.float64) for row in rows)) is None:
            continue
        scale = _fit_scale(*(row.reshape(length, -1).astype(np.float64) for row in rows))
        if scale is not None:
            return scale.reshape([-1 if place == axis else 1 for place in range(weight.ndim)])
    return None


def _fit_scale(rows: np.ndarray, candidates: np.ndarray) -> np.ndarray | None:
    """Return the factor (N,) for each row of ``candidates`` (N, M) that gives ``rows``, or None if there is none."""
    squares = np.einsum("ij,ij->i", candidates, candidates)
    scale = np.einsum("ij,ij->i", rows, candidates) / np.where(squares == 0, 1, squares)
    return scale if _are_close(rows, candidates * scale[:, None]) else None


def _are_close(found: np.ndarray, expected: np.ndarray, terms: np.ndarray | None = None) -> bool:
    """Whether both agree up to rounding; ``terms`` has the magnitudes that were added up, if there were several."""
    limit = TOLERANCE * np.abs(found if terms is None else terms) + np.finfo(np.float32).tiny
    return bool(np.all(np.abs(found - expected) <= limit))


@dataclass(frozen=True)
class Normalisation:
    """y = scale * x + beta - scale * mean. ``adjustable`` is the variable that moves y, by ``factor``."""

    scale: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    adjustable: int
    factor: np.ndarray


def _read_normalisations(model: Model) -> Iterator[Normalisation]:
    places = {id(variable): index for index, variable in enumerate(model.weights)}
    for layer in flatten_layers(model):
        if not kind_of(layer).startswith("BatchNormalization") or not layer.built:
            continue
        gamma, beta, mean, variance = (
            None if part is None else to_numpy(part).astype(np.float64)
            for part in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
        )
        scale = (1 if gamma is None else gamma) / np.sqrt(variance + layer.epsilon)
        adjustable, factor = (layer.moving_mean, -scale) if beta is None else (layer.beta, np.ones_like(scale))
        if np.all(factor != 0):
            yield Normalisation(
                scale, np.zeros_like(mean) if beta is None else beta, mean, places[id(adjustable)], factor
            )


def _match_offsets(
    weight: np.ndarray, normalisations: list[Normalisation], values: list[np.ndarray]
) -> Iterator[Offset]:
    """Yield the normalisations, alone or after a bias, that would turn into the bias ``weight`` (C,) float64."""
    for one in normalisations:
        if one.mean.shape != weight.shape:
            continue
        alone = one.beta - one.scale * one.mean
        terms = np.abs(one.beta) + np.abs(one.scale * one.mean)
        biases = [np.zeros_like(weight)]
        biases += [value.astype(np.float64) for value in values if value.shape == weight.shape]
        for bias in biases:
            expected = alone + one.scale * bias
            if _are_close(weight, expected, terms + np.abs(one.scale * bias)):
                current = values[one.adjustable].astype(np.float64)
                yield Offset(one.adjustable, expected - one.factor * current, one.factor)
                break
