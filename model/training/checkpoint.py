"""Reads PyTorch checkpoints as plain arrays, without PyTorch and without running code a pickle may contain."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

# The format before PyTorch 1.6: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class CheckpointError(Exception):
    """The file is not a checkpoint in this format; the message says why."""


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    count: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    """Resolves only the four names that a dictionary of tensors needs."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise CheckpointError(f"contains more than tensors: {module}.{name}")

    def persistent_load(self, pid: tuple) -> _Storage:
        kind, dtype, key, _, count, *_ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise CheckpointError(f"contains more than tensors: {kind}")
        return _Storage(key, dtype, count)


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a checkpoint in PyTorch's format before 1.6, by name, as read-only arrays.

    Raises ``CheckpointError`` for any other file.
    """
    with path.open("rb") as file:
        try:
            if _load(file) != MAGIC or _load(file) != PROTOCOL:
                raise CheckpointError("not in PyTorch's format before 1.6")
            _load(file)  # the integer sizes of the writing machine; tensors have fixed ones
            tensors: dict[str, _Tensor] = _load(file)
            storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
            contents = {key: _read_storage(file, storages[key]) for key in _load(file)}
        except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"damaged, or not in PyTorch's format before 1.6: {error}") from error
        return {name: _view(contents[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _load(file: BinaryIO) -> object:
    return _Unpickler(file).load()


def _read_storage(file: BinaryIO, storage: _Storage) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    if count != storage.count:
        raise ValueError(f"storage {storage.key} has {count} elements, not {storage.count}")
    return np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype, count)


def _view(content: np.ndarray, tensor: _Tensor) -> np.ndarray:
    size = content.dtype.itemsize
    last = tensor.offset + sum((length - 1) * step for length, step in zip(tensor.shape, tensor.strides, strict=True))
    if tensor.offset < 0 or last >= len(content):
        raise CheckpointError("a tensor lies outside its storage")
    strides = tuple(step * size for step in tensor.strides)
    return np.lib.stride_tricks.as_strided(content[tensor.offset :], tensor.shape, strides, writeable=False)
