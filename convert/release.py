"""Writes a release: the whole folder or nothing."""

import hashlib
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from convert.errors import ConversionError

# The files of a release folder; model.onnx is from the form before graph.onnx and weights.bin. A signature belongs to
# its manifest, and is replaced with it.
RELEASE_FILES = {"graph.onnx", "weights.bin", "manifest.json", "model.sig", "model.onnx"}


def check_out(folder: Path) -> None:
    """Raise ``ConversionError`` if ``folder`` contains anything but a release, which writing would delete."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ConversionError(f"--out is not a folder: {folder}")
    if folder.is_dir():
        strange = sorted(entry.name for entry in folder.iterdir() if entry.name not in RELEASE_FILES)
        if strange:
            raise ConversionError(f"--out contains files other than a release ({strange[0]}); pass a new folder")


def write_release(folder: Path, files: dict[str, bytes]) -> None:
    """Replace the content of ``folder`` with ``files`` (name to content), all at once.

    They are complete on disk before the old folder moves away. Interrupts are ignored during the two renames.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        fresh, previous = Path(scratch, "new"), Path(scratch, "previous")
        fresh.mkdir()
        for name, content in files.items():
            with (fresh / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            if folder.exists():
                folder.rename(previous)
            try:
                fresh.rename(folder)
            except OSError:
                if previous.exists():
                    previous.rename(folder)
                raise
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def describe_file(content: bytes) -> dict[str, Any]:
    """Return the size in bytes and the SHA-256 (hex) of a file's content."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
