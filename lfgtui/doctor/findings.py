"""What a check comes to."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

Level: TypeAlias = Literal["ok", "note", "mend"]
"""`note` is worth knowing and no fault; `mend` is what someone should do something about."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the doctor's: about what, how bad, what, and what to do."""

    topic: str
    level: Level
    message: str
    fix: str = ""


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether there is nothing to mend."""
    return all(finding.level != "mend" for finding in findings)
