"""The command that the user typed, to be shown with one option more."""

import shlex
from collections.abc import Sequence

_typed: list[str] = []


def remember(arguments: Sequence[str]) -> None:
    """Keep the arguments of this call of the command, for ``suggest``."""
    _typed[:] = arguments


def suggest(*added: str) -> str:
    """Return the command as typed, with ``added`` at its end."""
    return shlex.join(["npm", "run", "model:convert", "--", *_typed, *added])
