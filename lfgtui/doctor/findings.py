"""Results of the doctor: findings, and the report on a provider.

`lfg doctor --json` prints them, so no field can be renamed.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from lfgtui.doctor.arrivals import Arrivals, Verdict
from lfgtui.errors import ErrorKind
from lfgtui.settings.providers import WireName

Level: TypeAlias = Literal["ok", "note", "fix"]
"""`note` is worth knowing and no fault; `fix` is something to act on."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of one check; `fix` is what to do about it, "" for nothing."""

    topic: str
    level: Level
    message: str
    fix: str = ""


def is_well(findings: Iterable[Finding]) -> bool:
    """Return True if there is nothing to fix."""
    return all(finding.level != "fix" for finding in findings)


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds; None if not measured, or if it did not happen.

    `dns`, `connect` and `tls` are consecutive steps, `first_byte` is from the
    request's last byte to the response's head, `first_token` and `total` are from
    the start of the request.
    """

    dns: float | None
    connect: float | None
    tls: float | None
    first_byte: float | None
    first_token: float | None
    total: float


class Rate(msgspec.Struct, frozen=True):
    """Tokens per second while streaming; estimated if the provider counts none, or wrongly."""

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
    """One examination, judged. `verdict` is None if an error left nothing to judge.

    `unknown` counts records of unknown types; `headers` are those that tell of proxies.
    """

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
