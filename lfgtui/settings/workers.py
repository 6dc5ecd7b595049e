"""Workers on other machines, and the labels by which tickets are given to them."""

from typing import Annotated

import msgspec

INSTALL = "pip install 'lfgtui[redis]'"
"""The command that installs what they are reached with, an extra."""


class WorkersPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Redis server that hands tickets out; without `url` they are done here.

    A worker that cannot be heard for `lease` seconds loses its tickets to another. Files of
    tickets with a worktree travel over the git remote of that name or URL.
    """

    url: str | None = None
    lease: Annotated[float, msgspec.Meta(ge=2, le=600)] = 15.0
    remote: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^-]")] = "origin"
