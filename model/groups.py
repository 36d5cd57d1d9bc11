"""Groups of photos, told by their file names: which are watched apart, and which are look-alikes."""

from fnmatch import fnmatchcase
from pathlib import Path

REST = "others"


def group_of(path: Path, groups: dict[str, list[str]]) -> str:
    """Return the first group one of whose patterns (``malamute__*``) the file name fits, or ``REST``."""
    for group, patterns in groups.items():
        if any(fnmatchcase(path.name, pattern) for pattern in patterns):
            return group
    return REST
