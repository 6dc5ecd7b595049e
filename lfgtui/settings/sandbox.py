"""`[sandbox]` of the config: what agents' commands may see, reach and use."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from lfgtui.model.tickets import Count, SandboxMode
from lfgtui.text.figures import memory_bytes


class SandboxPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The default sandbox of tickets, and the limits of each command.

    `readable` and `writable` are paths; a ticket's own are added to them. `memory` is a size, or a
    share of what is available when a run starts. `file_size` limits each file that is written.
    """

    mode: SandboxMode = "auto"
    network: bool = False
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    memory: str = "50%"
    cpu_seconds: Count = 3600
    processes: Annotated[int, msgspec.Meta(ge=10)] = 1000
    file_size: str = "4 GB"


def misfits(policy: SandboxPolicy) -> Iterator[tuple[str, str]]:
    """Yield mistakes that the types do not find: the field, and the reason."""
    for field, size in (("memory", policy.memory), ("file_size", policy.file_size)):
        try:
            bytes_meant = memory_bytes(size, 0)
        except ValueError as error:
            yield field, f"{field}: {error}"
        else:
            if field == "file_size" and bytes_meant == 0:
                expected = 'expected e.g. "4 GB" or "500 MB"'
                yield field, f'{field}: invalid size "{size}": {expected}'
    for field, paths in (("readable", policy.readable), ("writable", policy.writable)):
        for path in paths:
            if not path.startswith(("/", "~/")) and path != "~":
                yield field, f'{field}: "{path}" must begin with / or ~/'
