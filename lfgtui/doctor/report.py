"""Everything there is to say about a provider, as one value: the `--json` object."""

import re
from collections.abc import Mapping

import msgspec

from lfgtui.doctor.arrivals import Judgement, Verdict, estimated_tokens, judge
from lfgtui.doctor.diagnose import clock_skew, diagnose
from lfgtui.doctor.examine import Examination
from lfgtui.doctor.findings import Finding, is_well
from lfgtui.errors import ErrorKind

# What tells about the way here; others may be anybody's business.
_SHOWN_HEADERS = re.compile(
    r"age|cache-control|cf-(cache-status|ray)|connection|content-(encoding|length|type)|date|server"
    r"|transfer-encoding|vary|via|apigw-requestid|x-(accel-buffering|amz(n-requestid|-cf-id"
    r"|-apigw-id)|azure-ref|cache|envoy-.*|kong-.*-latency|powered-by|served-by|varnish|vercel-id)"
)


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


class Arrivals(msgspec.Struct, frozen=True):
    """How the answer came; gaps in milliseconds, `lump_share` 0..1."""

    pieces: int
    bursts: int
    bytes: int
    characters: int
    span_ms: float
    median_gap_ms: float | None
    longest_gap_ms: float | None
    lump_share: float


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
    """How the request or the stream broke."""

    kind: ErrorKind
    message: str


class Report(msgspec.Struct, frozen=True):
    """One examination, judged. `verdict` is None where there was nothing to judge."""

    provider: str
    wire: str | None
    url: str | None
    model: str
    ok: bool
    verdict: Verdict | None
    status: int | None
    http_version: str | None
    latency_ms: Latency | None
    arrivals: Arrivals | None
    rate: Rate | None
    usage: Reported | None
    clock_skew_s: float | None
    unknown: Mapping[str, int]
    headers: Mapping[str, str]
    error: Failure | None
    findings: tuple[Finding, ...]


def report(seen: Examination, *, has_key: bool) -> Report:
    """Judge what was seen."""
    judgement = judge(seen.arrivals, seen.total)
    findings = tuple(diagnose(seen, judgement, has_key=has_key))
    exchange, usage, error = seen.exchange, seen.usage, seen.error
    return Report(
        provider=seen.target.provider,
        wire=seen.target.wire,
        url=exchange.url if exchange else None,
        model=seen.target.model,
        ok=is_well(findings),
        verdict=judgement.verdict if judgement.deltas or error is None else None,
        status=exchange.status if exchange else None,
        http_version=exchange.http_version or None if exchange else None,
        latency_ms=_latency(seen),
        arrivals=_arrivals(seen, judgement),
        rate=_rate(seen, judgement),
        usage=Reported(usage.input, usage.output, usage.cached) if usage else None,
        clock_skew_s=clock_skew(seen),
        unknown=dict(seen.unknown),
        headers=_headers(seen),
        error=Failure(error.kind, error.message) if error else None,
        findings=findings,
    )


def unopened(provider: str, wire: str | None, model: str, finding: Finding) -> Report:
    """The report of a provider that could not even be asked."""
    return Report(
        provider=provider,
        wire=wire,
        url=None,
        model=model,
        ok=finding.level != "mend",
        verdict=None,
        status=None,
        http_version=None,
        latency_ms=None,
        arrivals=None,
        rate=None,
        usage=None,
        clock_skew_s=None,
        unknown={},
        headers={},
        error=None,
        findings=(finding,),
    )


def _latency(seen: Examination) -> Latency | None:
    exchange = seen.exchange
    if seen.first_token is None and (exchange is None or exchange.answered is None):
        return None
    first_byte = None
    if exchange is not None and exchange.answered is not None and exchange.sent is not None:
        first_byte = exchange.answered - exchange.sent
    return Latency(
        dns=_ms(exchange.lookup if exchange else None),
        connect=_ms(exchange.connect if exchange else None),
        tls=_ms(exchange.tls if exchange else None),
        first_byte=_ms(first_byte),
        first_token=_ms(seen.first_token),
        total=round(seen.total * 1000, 1),
    )


def _arrivals(seen: Examination, judgement: Judgement) -> Arrivals:
    return Arrivals(
        pieces=judgement.deltas,
        bursts=judgement.bursts,
        bytes=sum(arrival.size for arrival in seen.arrivals),
        characters=sum(arrival.characters for arrival in seen.arrivals),
        span_ms=round(judgement.span * 1000, 1),
        median_gap_ms=_ms(judgement.median_gap),
        longest_gap_ms=_ms(judgement.longest_gap),
        lump_share=round(judgement.lump_share, 3),
    )


def _rate(seen: Examination, judgement: Judgement) -> Rate | None:
    if judgement.verdict != "streams" or judgement.span <= 0:
        return None
    estimate = estimated_tokens(seen.arrivals)
    counted = seen.usage.output if seen.usage is not None else 0
    # What a provider counts may include thoughts that nobody sees.
    is_counted = estimate / 3 <= counted <= estimate * 2
    tokens = counted if is_counted else estimate
    return Rate(round(tokens / judgement.span, 1), not is_counted)


def _headers(seen: Examination) -> dict[str, str]:
    headers = seen.exchange.headers if seen.exchange is not None else ()
    return {name: value for name, value in headers if _SHOWN_HEADERS.fullmatch(name.lower())}


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
