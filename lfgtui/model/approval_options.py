"""The answers that an agent offers with its question: plain ones, and ones that allow more."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from lfgtui.model.events import ApprovalOption

Verdict: TypeAlias = Literal["allow", "reject"]


def plain_option(options: Sequence[ApprovalOption], verdict: Verdict) -> ApprovalOption | None:
    """Return the answer for this call alone, or a lasting one if there is no other."""
    kinds = (f"{verdict}_once", f"{verdict}_always")
    return next((one for kind in kinds for one in options if one.kind == kind), None)


def other_options(options: Sequence[ApprovalOption], verdict: Verdict) -> list[ApprovalOption]:
    """Return all answers of that verdict but the plain one."""
    plain = plain_option(options, verdict)
    return [one for one in options if one.kind.startswith(verdict) and one is not plain]
