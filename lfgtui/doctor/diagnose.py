"""Judges an `Examination` of a provider: findings and a report, without I/O or clock."""

import re
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from lfgtui.doctor.arrivals import Arrivals, Verdict, estimated_tokens, judge
from lfgtui.doctor.examine import Examination
from lfgtui.doctor.findings import Failure, Finding, Latency, Rate, Report, Reported, is_well
from lfgtui.doctor.proxies import UNKNOWN, Headers, Proxy, signed_by, value_of
from lfgtui.errors import ProviderError, did_you_mean
from lfgtui.providers.transport.probe import Exchange

SKEW = 60.0
"""Seconds by which this machine's clock may differ from the server's."""

_SILENT = 0.5  # seconds without a byte before a cut, for a timeout to be the likely cause
_GATEWAY = frozenset({502, 503, 504})  # what a proxy answers if the server behind it fails
_SHOWN_MODELS = 6

# Headers that tell of proxies on the way, and may be in a report; others may be private.
_SHOWN_HEADERS = re.compile(
    r"age|cache-control|cf-(cache-status|ray)|connection|content-(encoding|length|type)|date|server"
    r"|transfer-encoding|vary|via|apigw-requestid|x-(accel-buffering|amz(n-requestid|-cf-id"
    r"|-apigw-id)|azure-ref|cache|envoy-.*|kong-.*-latency|powered-by|served-by|varnish|vercel-id)"
)


def report(seen: Examination, *, has_key: bool) -> Report:
    """Return the report; `has_key` says whether the provider has a key."""
    verdict, arrivals = judge(seen.arrivals, seen.total)
    findings = tuple(_diagnose(seen, verdict, arrivals, has_key=has_key))
    exchange, usage, error = seen.exchange, seen.usage, seen.error
    return Report(
        provider=seen.provider,
        wire=seen.wire,
        url=exchange.url if exchange else None,
        model=seen.model,
        ok=is_well(findings),
        verdict=verdict if arrivals.pieces or error is None else None,
        status=exchange.status if exchange else None,
        http_version=exchange.http_version or None if exchange else None,
        latency_ms=_latency(seen),
        arrivals=arrivals,
        rate=_rate(seen, arrivals) if verdict == "streams" and arrivals.span_ms else None,
        usage=Reported(usage.input, usage.output, usage.cached) if usage else None,
        clock_skew_s=_clock_skew(seen),
        unknown=dict(seen.unknown),
        headers={k: value for k, value in seen.headers if _SHOWN_HEADERS.fullmatch(k.lower())},
        error=Failure(error.kind, error.message) if error else None,
        findings=findings,
    )


def _diagnose(
    seen: Examination, verdict: Verdict, arrivals: Arrivals, *, has_key: bool
) -> Iterator[Finding]:
    """Yield the findings: a refusal alone, or else key, model, stream, clock, usage, records."""
    began_well = seen.exchange is not None and seen.exchange.status == 200
    if seen.error is not None and not arrivals.pieces and not began_well:
        yield _refusal(seen, seen.error)
        yield from _clock(seen)
        return
    yield Finding("key", "ok", "accepted" if has_key else "none needed")
    yield Finding("model", "ok", f"{seen.model} answers")
    yield from _stream(seen, verdict, arrivals)
    if seen.error is not None:
        yield _cut(seen, seen.error, verdict, arrivals)
    yield from _clock(seen)
    if seen.usage is not None:
        counts = f"{seen.usage.input} tokens in, {seen.usage.output} out"
        yield Finding("usage", "ok", f"reported: {counts}")
    elif seen.error is None:
        yield Finding("usage", "note", "not reported: tokens and cost will be estimates")
    if seen.unknown:
        counts = ", ".join(f"{name} ({count})" for name, count in seen.unknown.most_common())
        yield Finding("records", "note", f"ignored, of unknown types: {counts}")


def _refusal(seen: Examination, error: ProviderError) -> Finding:
    """Return what is wrong if the request failed before any content came."""
    match error.kind:
        case "auth":
            fix = "check the key: is it complete, valid, and for this provider?"
            return Finding("key", "fix", error.message, fix)
        case "not_found" | "invalid_request":
            return _wrong_request(seen, error)
        case "rate_limit" | "overloaded":
            fix = _gateway_fix(seen) or "the setup is right; try again later"
            return Finding("server", "fix", error.message, fix)
        case "connection" | "timeout" | "cut":
            return Finding("connection", "fix", error.message, _gateway_fix(seen))
        case _:
            return Finding("server", "fix", error.message, _gateway_fix(seen))


def _wrong_request(seen: Examination, error: ProviderError) -> Finding:
    """Return whether the model, its address or the rest of the request was refused."""
    model, listed = seen.model, seen.listed
    if listed is not None and model not in listed:
        near = did_you_mean(model, listed).removeprefix("; ")
        if not near.startswith("did"):
            more = len(listed) - _SHOWN_MODELS
            near = f"the server has {', '.join(listed[:_SHOWN_MODELS])}"
            near += f" and {more} more" if more > 0 else ""
        return Finding("model", "fix", f"no model {model} on the server: {error.message}", near)
    if error.kind == "not_found" and listed is None:
        where = f" (requested: {seen.exchange.url})" if seen.exchange is not None else ""
        fix = f"check the model's name and base_url{where}"
        return Finding("model", "fix", error.message, fix)
    return Finding("request", "fix", error.message, "check the provider's wire and the model")


def _gateway_fix(seen: Examination) -> str:
    """Return what to do if a proxy answered instead of the server; "" if none did."""
    name, proxy = _proxy(seen)
    if proxy is UNKNOWN or seen.exchange is None or seen.exchange.status not in _GATEWAY:
        return ""
    fix = proxy.keep_open if seen.exchange.status == 504 else "is the server behind it running?"
    return f"{name} answered instead of the server: {fix}"


def _proxy(seen: Examination) -> tuple[str, Proxy]:
    """Return the names of the proxies, and the first of them, whose advice is given."""
    proxies = signed_by(seen.headers)
    return ", then ".join(proxies) or UNKNOWN.name, next(iter(proxies.values()), UNKNOWN)


def _stream(seen: Examination, verdict: Verdict, arrivals: Arrivals) -> Iterator[Finding]:
    """Yield how the answer arrived, and what is to be done about it."""
    count, total = f"{arrivals.pieces} pieces", f"{seen.total:.1f} s"
    match verdict:
        case "streams":
            yield Finding("stream", "ok", _as_made(arrivals))
            if encoding := _encoding(seen.headers):
                name = f"compressed, which lfg declines (content-encoding: {encoding})"
                yield Finding("compression", "note", f"{name}; it does not delay the answer now")
        case "lump":
            held = f"all {count} arrived at once after {total}: something on the way buffers them"
            yield Finding("stream", "fix", held)
            yield _cause(seen)
        case "bursts":
            held = (
                f"{arrivals.lump_share:.0%} of {count} arrived in lumps, {arrivals.bursts} bursts"
                f" in {total}: a buffer on the way fills and empties"
            )
            yield Finding("stream", "fix", held)
            yield _cause(seen)
        case "one_piece":
            kind = value_of(seen.headers, "content-type")
            kind = f" (content-type: {kind})" if kind and "event-stream" not in kind else ""
            yield Finding(
                "stream",
                "fix",
                f"the answer arrived in one piece after {total}: the server does not stream{kind}",
                "enable streaming for this model on the server or the gateway in front of it;"
                " until then answers appear only when complete",
            )
        case "too_fast":
            within = f"{seen.total * 1000:.0f} ms"
            yield Finding("stream", "note", f"too fast to tell: {count} arrived within {within}")
        case "too_short" if seen.error is None:
            yield Finding("stream", "note", f"too short to tell: {count} in {total}")
        case "nothing" if seen.error is None:
            reason = f"no text to judge by (stop reason: {seen.stop_reason})"
            if seen.stop_reason == "length":
                reason += "; the model used its output limit for thinking"
            yield Finding("stream", "note", reason)
        case _:
            pass


def _as_made(arrivals: Arrivals) -> str:
    """Return the message about an answer that streams."""
    message = (
        f"tokens arrive as they are generated: {arrivals.pieces} pieces in {arrivals.bursts}"
        f" bursts over {arrivals.span_ms / 1000:.1f} s"
    )
    if arrivals.median_gap_ms is None:
        return message
    gaps = f"gaps {arrivals.median_gap_ms:.0f} ms, {arrivals.longest_gap_ms:.0f} at most"
    return f"{message}; {gaps}; {arrivals.lump_share:.0%} in lumps"


def _cause(seen: Examination) -> Finding:
    """Return why the answer was held back, by the response's headers."""
    name, proxy = _proxy(seen)
    causes, fixes = [name], [proxy.unbuffer]
    if encoding := _encoding(seen.headers):
        causes.append(f"it compresses, which lfg declines (content-encoding: {encoding})")
    if length := value_of(seen.headers, "content-length"):
        known = f"the answer's length was known before it was sent (content-length: {length})"
        causes.append(known)
    if cached := _cached(seen.headers):
        causes.append(f"a cache answered ({cached})")
        fixes.append("exclude this path from the cache")
    if (exchange := seen.exchange) is not None and exchange.peer is not None:
        host = urlsplit(exchange.url).hostname or ""
        if exchange.peer.rpartition(":")[0] != host:
            causes.append(f"the request went through the proxy at {exchange.peer} (HTTPS_PROXY)")
            fixes.insert(0, f"bypass it: NO_PROXY={host}")
    return Finding("cause", "fix", "; ".join(causes), "; ".join(fixes))


def _encoding(headers: Headers) -> str:
    encoding = value_of(headers, "content-encoding")
    return "" if encoding.lower() == "identity" else encoding


def _cached(headers: Headers) -> str:
    hit, age = value_of(headers, "x-cache"), value_of(headers, "age")
    if "hit" in hit.lower():
        return f"x-cache: {hit}"
    return f"age: {age}" if age.strip("0") else ""


def _cut(seen: Examination, error: ProviderError, verdict: Verdict, arrivals: Arrivals) -> Finding:
    """Return why the answer broke off after it had begun."""
    message = f"broke off after {arrivals.pieces} pieces and {seen.total:.1f} s"
    if error.kind not in ("cut", "timeout"):
        return Finding("end", "fix", f"{message}: {error.message}")
    if seen.silence >= _SILENT:
        message += f", the last {seen.silence:.1f} s silent: an idle timeout on the way"
    elif verdict in ("lump", "nothing"):
        message += ", as an idle timeout on the way would do"
    name, proxy = _proxy(seen)
    message += "" if proxy is UNKNOWN else f" ({name})"
    return Finding("end", "fix", f"{message}: {error.message}", proxy.keep_open)


def _clock(seen: Examination) -> Iterator[Finding]:
    """Yield whether this machine's clock is right, if the server sent its time."""
    if (skew := _clock_skew(seen)) is None:
        return
    if abs(skew) <= SKEW:
        yield Finding("clock", "ok", f"within {max(1, abs(skew)):.0f} s of the server's")
        return
    units = [(86400, "days", 48 * 3600), (3600, "h", 7200), (60, "min", 120), (1, "s", 0)]
    size, unit = next((size, unit) for size, unit, least in units if abs(skew) >= least)
    way = "ahead of" if skew > 0 else "behind"
    message = f"this machine is {abs(skew) / size:.0f} {unit} {way} the server"
    fix = "set the clock (timedatectl set-ntp true): keys and certificates depend on it"
    yield Finding("clock", "fix", message, fix)


def _clock_skew(seen: Examination) -> float | None:
    """Return how many seconds this machine is ahead of the server; None without a `Date`.

    The header has whole seconds, so the middle of its second is taken.
    """
    if seen.wall_clock is None:
        return None
    try:
        date = parsedate_to_datetime(value_of(seen.headers, "date"))
        # RFC 9110, 5.6.7: it is in UTC, even if a server does not write so.
        server_time = date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return round(seen.wall_clock - server_time - 0.5, 1)


def _latency(seen: Examination) -> Latency | None:
    """Return the measured times; None if the server did not answer."""
    exchange = seen.exchange or Exchange("", 0.0)  # all its moments are None
    if seen.first_token is None and exchange.answered is None:
        return None
    first_byte = None
    if exchange.answered is not None and exchange.sent is not None:
        first_byte = exchange.answered - exchange.sent
    return Latency(
        dns=_ms(exchange.lookup),
        connect=_ms(exchange.connect),
        tls=_ms(exchange.tls),
        first_byte=_ms(first_byte),
        first_token=_ms(seen.first_token),
        total=round(seen.total * 1000, 1),
    )


def _rate(seen: Examination, arrivals: Arrivals) -> Rate:
    """Return the speed by the provider's count of tokens, or by an estimate if that is wrong."""
    estimate = estimated_tokens(seen.arrivals)
    counted = seen.usage.output if seen.usage is not None else 0
    # A provider's count may include hidden reasoning.
    is_counted = estimate / 3 <= counted <= estimate * 2
    tokens = counted if is_counted else estimate
    return Rate(round(tokens / arrivals.span_ms * 1000, 1), not is_counted)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
