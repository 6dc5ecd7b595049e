"""The doctor's answers: findings, and the report of a provider, as `--json` prints it."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from lfgtui.doctor.arrivals import Arrivals, Verdict
from lfgtui.errors import ErrorKind
from lfgtui.settings.providers import WireName

Level: TypeAlias = Literal["ok", "note", "fix"]
"""`note` is worth knowing and no fault; `fix` is something to act on."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of one check, and what to do about it."""

    topic: str
    level: Level
    message: str
    fix: str = ""


def is_well(findings: Iterable[Finding]) -> bool:
    """Return True if there is nothing to fix."""
    return all(finding.level != "fix" for finding in findings)


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds; None was not measured or did not happen.

    The first three are steps one after the other, `first_byte` is from the
    request's last byte to the response's head, the last two are from the start.
    """

    dns: float | None
    connect: float | None
    tls: float | None
    first_byte: float | None
    first_token: float | None
    total: float


class Rate(msgspec.Struct, frozen=True):
    """Tokens a second while streaming; estimated where the provider reports no usage."""

    tokens_per_s: float
    estimated: bool


class Reported(msgspec.Struct, frozen=True):
    """The provider's own count of tokens."""

    input: int
    output: int
    cached: int


class Failure(msgspec.Struct, frozen=True):
    """The error that ended the request or the stream."""

    kind: ErrorKind
    message: str


class Report(msgspec.Struct, frozen=True):
    """One examination, judged. `verdict` is None where there was nothing to judge."""

    provider: str
    wire: WireName
    url: str | None
    model: str
    ok: bool
    verdict: Verdict | None = None
    status: int | None = None
    http_version: str | None = None
    latency_ms: Latency | None = None
    arrivals: Arrivals | None = None
    rate: Rate | None = None
    usage: Reported | None = None
    clock_skew_s: float | None = None
    unknown: Mapping[str, int] = {}
    headers: Mapping[str, str] = {}
    error: Failure | None = None
    findings: tuple[Finding, ...] = ()
