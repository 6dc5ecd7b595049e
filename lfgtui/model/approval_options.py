"""The answers that an agent offers when it asks about its call, as `ApprovalRequested.options`.

The keys for yes and no send the plain option of each verdict; the others are listed for a person.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from lfgtui.model.events import ApprovalOption

Verdict: TypeAlias = Literal["allow", "reject"]


def plain_option(options: Sequence[ApprovalOption], verdict: Verdict) -> ApprovalOption | None:
    """Return the option for this call alone; if there is none, one for later calls, too."""
    kinds = (f"{verdict}_once", f"{verdict}_always")
    return next((one for kind in kinds for one in options if one.kind == kind), None)


def other_options(options: Sequence[ApprovalOption], verdict: Verdict) -> list[ApprovalOption]:
    """Return the options of that verdict without its plain one."""
    plain = plain_option(options, verdict)
    return [one for one in options if one.kind.startswith(verdict) and one is not plain]
