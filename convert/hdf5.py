"""Inspects the structure of an HDF5 file before anything reads its data."""

import h5py

from convert.errors import ConversionError

# The attribute that a group of Keras's weights has: at the root of a file, if it holds nothing else.
WEIGHTS_ALONE = "layer_names"
# What training leaves in a file.
UNUSED = ("optimizer", "optimizer_weights")
MAX_OBJECTS, MAX_DEPTH = 100_000, 100
# What datasets may hold in memory: those of a real model are no larger than its file.
MAX_RATIO, ALWAYS_ALLOWED = 4, 64 * 2**20
# Compression and checksums that are part of HDF5 or h5py; others load a plugin.
FILTERS = {
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_SZIP,
    h5py.h5z.FILTER_NBIT,
    h5py.h5z.FILTER_SCALEOFFSET,
    h5py.h5z.FILTER_LZF,
}


def check_structure(root: h5py.File, file_bytes: int) -> None:
    """Refuse links, external storage, plugins, cycles, and data that is far larger than the file.

    Links and external storage would read other files of this machine. Raises ``ConversionError``.
    """
    seen: set[int] = set()
    waiting: list[tuple[h5py.Group, int]] = [(root, 0)]
    left = ALWAYS_ALLOWED + MAX_RATIO * file_bytes
    while waiting:
        group, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ConversionError(f"the HDF5 file has groups nested more than {MAX_DEPTH} deep")
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ConversionError(f"'{name}' in the HDF5 file is a link, not data")
            member = group[name]
            address = h5py.h5o.get_info(member.id).addr
            if address in seen or address == h5py.h5o.get_info(root.id).addr:
                raise ConversionError(f"'{name}' in the HDF5 file occurs twice: a link, not data")
            seen.add(address)
            if len(seen) > MAX_OBJECTS:
                raise ConversionError(f"the HDF5 file contains more than {MAX_OBJECTS} objects")
            if isinstance(member, h5py.Group):
                waiting.append((member, depth + 1))
            elif isinstance(member, h5py.Dataset):
                left -= _check_dataset(name, member)
                if left < 0:
                    raise ConversionError("the HDF5 file unpacks to far more than its size")


def count_weights(root: h5py.File) -> int:
    """Return how many numbers the kernels in a checked file have, without those of an optimizer."""
    count = 0

    def add(_name: str, member: h5py.Group | h5py.Dataset) -> None:
        nonlocal count
        if isinstance(member, h5py.Dataset) and member.ndim > 1:
            count += member.size

    for name in root:
        if name not in UNUSED and isinstance(root[name], h5py.Group):
            root[name].visititems(add)
    return count


def _check_dataset(name: str, dataset: h5py.Dataset) -> int:
    """Return the bytes that the dataset takes in memory."""
    if dataset.external or dataset.is_virtual:
        raise ConversionError(f"'{name}' in the HDF5 file is stored in another file")
    properties = dataset.id.get_create_plist()
    for index in range(properties.get_nfilters()):
        if properties.get_filter(index)[0] not in FILTERS:
            raise ConversionError(f"'{name}' in the HDF5 file needs a plugin to be read")
    if dataset.shape is None:
        return 0
    return dataset.size * dataset.dtype.itemsize
