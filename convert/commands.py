"""The command that the user typed, to be shown with one option more."""

import shlex
from collections.abc import Sequence

_typed: list[str] = []


def remember(arguments: Sequence[str]) -> None:
    """Keep the arguments of this call of the command, for ``suggest``."""
    _typed[:] = arguments


def suggest(*added: str) -> str:
    """Return the command as typed, with the option ``added`` at its end, in place of any other value of it."""
    kept = list(_typed)
    if added[0] in kept:
        place = kept.index(added[0])
        del kept[place : place + len(added)]
    return shlex.join(["npm", "run", "model:convert", "--", *kept, *added])
