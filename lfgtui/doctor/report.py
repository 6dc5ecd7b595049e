"""A provider's examination as a report."""

import re

from lfgtui.doctor.arrivals import Arrivals, estimated_tokens, judge
from lfgtui.doctor.diagnose import clock_skew, diagnose
from lfgtui.doctor.examine import Examination
from lfgtui.doctor.findings import Failure, Latency, Rate, Report, Reported, is_well

# Headers that tell about the way here; others may be private.
_SHOWN_HEADERS = re.compile(
    r"age|cache-control|cf-(cache-status|ray)|connection|content-(encoding|length|type)|date|server"
    r"|transfer-encoding|vary|via|apigw-requestid|x-(accel-buffering|amz(n-requestid|-cf-id"
    r"|-apigw-id)|azure-ref|cache|envoy-.*|kong-.*-latency|powered-by|served-by|varnish|vercel-id)"
)


def report(seen: Examination, *, has_key: bool) -> Report:
    """Judge an examination."""
    verdict, arrivals = judge(seen.arrivals, seen.total)
    findings = tuple(diagnose(seen, verdict, arrivals, has_key=has_key))
    exchange, usage, error = seen.exchange, seen.usage, seen.error
    headers = exchange.headers if exchange else ()
    return Report(
        provider=seen.target.provider,
        wire=seen.target.wire,
        url=exchange.url if exchange else None,
        model=seen.target.model,
        ok=is_well(findings),
        verdict=verdict if arrivals.pieces or error is None else None,
        status=exchange.status if exchange else None,
        http_version=exchange.http_version or None if exchange else None,
        latency_ms=_latency(seen),
        arrivals=arrivals,
        rate=_rate(seen, arrivals) if verdict == "streams" and arrivals.span_ms else None,
        usage=Reported(usage.input, usage.output, usage.cached) if usage else None,
        clock_skew_s=clock_skew(seen),
        unknown=dict(seen.unknown),
        headers={k: value for k, value in headers if _SHOWN_HEADERS.fullmatch(k.lower())},
        error=Failure(error.kind, error.message) if error else None,
        findings=findings,
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


def _rate(seen: Examination, arrivals: Arrivals) -> Rate:
    estimate = estimated_tokens(seen.arrivals)
    counted = seen.usage.output if seen.usage is not None else 0
    # A provider's count may include hidden reasoning.
    is_counted = estimate / 3 <= counted <= estimate * 2
    tokens = counted if is_counted else estimate
    return Rate(round(tokens / arrivals.span_ms * 1000, 1), not is_counted)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
