"""From what was seen of a provider to what it means: no I/O, no clock."""

from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from lfgtui.doctor.arrivals import Judgement
from lfgtui.doctor.examine import Examination
from lfgtui.doctor.findings import Finding
from lfgtui.doctor.proxies import UNKNOWN, Headers, Mark, marks, value_of
from lfgtui.errors import ProviderError, did_you_mean

SKEW = 60.0
"""Seconds that two clocks may be apart before it is said."""

_SILENT = 0.5  # seconds without a byte before a cut, for a timeout to be the likely cause
_GATEWAY = frozenset({502, 503, 504})
_SHOWN_MODELS = 6


def diagnose(seen: Examination, judgement: Judgement, *, has_key: bool) -> list[Finding]:
    """The findings, in the order in which a person would ask."""
    error = seen.error
    if error is not None and not judgement.deltas and not _began_well(seen):
        return [_refusal(seen, error), *_clock(seen)]
    return [
        Finding("key", "ok", "sent and not refused" if has_key else "none needed"),
        Finding("model", "ok", f"{seen.target.model} answers"),
        *_stream(seen, judgement),
        *_cut(seen, judgement),
        *_clock(seen),
        *_usage(seen),
        *_records(seen),
    ]


def clock_skew(seen: Examination) -> float | None:
    """Seconds that this machine is ahead of the server; None where it sent no `Date`.

    The header has whole seconds, so the middle of its second is taken.
    """
    if seen.exchange is None or seen.wall_clock is None:
        return None
    try:
        said = parsedate_to_datetime(value_of(seen.exchange.headers, "date"))
        # RFC 9110, 5.6.7: it is in UTC, also where a server leaves that out.
        told = said.replace(tzinfo=said.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return round(seen.wall_clock - told - 0.5, 1)


def _began_well(seen: Examination) -> bool:
    return seen.exchange is not None and seen.exchange.status == 200


def _refusal(seen: Examination, error: ProviderError) -> Finding:
    match error.kind:
        case "auth":
            fix = "check the key: is it this provider's, whole, and still valid?"
            return Finding("key", "mend", error.message, fix)
        case "not_found" | "invalid_request":
            return _wrong_request(seen, error)
        case "connection" | "timeout" | "cut":
            return Finding("connection", "mend", error.message, _gateway_fix(seen))
        case "rate_limit" | "overloaded":
            fix = _gateway_fix(seen) or "the set-up is right; try again later"
            return Finding("server", "mend", error.message, fix)
        case _:
            return Finding("server", "mend", error.message, _gateway_fix(seen))


def _wrong_request(seen: Examination, error: ProviderError) -> Finding:
    model, listed = seen.target.model, seen.listed
    if listed is not None and model not in listed:
        near = did_you_mean(model, listed).removeprefix("; ")
        if not near.startswith("did"):
            more = len(listed) - _SHOWN_MODELS
            near = f"it has {', '.join(listed[:_SHOWN_MODELS])}"
            near += f" and {more} more" if more > 0 else ""
        return Finding("model", "mend", f"{model} is not known there: {error.message}", near)
    if error.kind == "not_found" and listed is None:
        where = f" ({seen.exchange.url} was asked)" if seen.exchange is not None else ""
        fix = f"check the model's name and base_url{where}"
        return Finding("model", "mend", error.message, fix)
    return Finding("request", "mend", error.message, "check the provider's wire and the model")


def _gateway_fix(seen: Examination) -> str:
    """What to do where a proxy answered in the server's place."""
    exchange = seen.exchange
    if exchange is None or exchange.status not in _GATEWAY:
        return ""
    found = marks(exchange.headers)
    if not found:
        return ""
    told = f"{_named(found)} answered in the server's place"
    if exchange.status == 504:
        return f"{told}: {found[0].proxy.keep_open}"
    return f"{told}: does the server behind it run?"


def _stream(seen: Examination, judgement: Judgement) -> Iterator[Finding]:
    count, total = f"{judgement.deltas} pieces", f"{seen.total:.1f} s"
    match judgement.verdict:
        case "streams":
            yield Finding("stream", "ok", _as_made(judgement))
            yield from _compression(seen)
        case "lump":
            told = f"all {count} came in one lump after {total}: they were held back on the way"
            yield Finding("stream", "mend", told)
            yield _cause(seen)
        case "bursts":
            told = (
                f"{judgement.lump_share:.0%} of {count} came in lumps, {judgement.bursts} bursts"
                f" in {total}: a buffer fills and is emptied"
            )
            yield Finding("stream", "mend", told)
            yield _cause(seen)
        case "one_piece":
            yield _one_piece(seen)
        case "too_fast":
            told = f"too fast to tell: {count} were there {seen.total * 1000:.0f} ms after asking"
            yield Finding("stream", "note", told)
        case "too_short":
            if seen.error is None:
                yield Finding("stream", "note", f"too short to tell: {count} in {total}")
        case "nothing":
            if seen.error is None:
                yield Finding("stream", "note", _silent(seen))


def _as_made(judgement: Judgement) -> str:
    told = (
        f"tokens arrive as they are made: {judgement.deltas} pieces in {judgement.bursts} bursts"
        f" over {judgement.span:.1f} s"
    )
    if judgement.median_gap is None or judgement.longest_gap is None:
        return told
    gaps = f"gaps {judgement.median_gap * 1000:.0f} ms, {judgement.longest_gap * 1000:.0f} at most"
    return f"{told}; {gaps}; {judgement.lump_share:.0%} in lumps"


def _silent(seen: Examination) -> str:
    told = f"no text came (it stopped with {seen.stop_reason})"
    if seen.stop_reason == "length":
        told += "; the model spent what it may write on thinking"
    return f"{told}: nothing to judge by"


def _one_piece(seen: Examination) -> Finding:
    told = f"the answer came in one piece after {seen.total:.1f} s: the server does not stream it"
    exchange = seen.exchange
    kind = value_of(exchange.headers, "content-type") if exchange is not None else ""
    if kind and "event-stream" not in kind:
        told += f" (content-type: {kind})"
    fix = "have the server, or the gateway in front of it, stream this model"
    return Finding("stream", "mend", told, f"{fix}; lfg works, but shows it at the end")


def _cause(seen: Examination) -> Finding:
    """Why the answer was held back, from the response's headers."""
    exchange = seen.exchange
    if exchange is None:
        return Finding("cause", "mend", UNKNOWN.name, UNKNOWN.unbuffer)
    headers, found = exchange.headers, marks(exchange.headers)
    told = [_named(found) if found else UNKNOWN.name]
    fixes = [mark.proxy.unbuffer for mark in found[:1]] or [UNKNOWN.unbuffer]
    if encoding := _encoding(headers):
        told.append(f"it compresses though lfg declines that (content-encoding: {encoding})")
    if length := value_of(headers, "content-length"):
        told.append(f"the answer's length was known before it was sent (content-length: {length})")
    if cached := _cached(headers):
        told.append(f"a cache answered ({cached})")
        fixes.append("keep this path out of the cache")
    if peer := _forward_proxy(seen):
        told.append(f"the request went through the proxy at {peer} (HTTPS_PROXY or HTTP_PROXY)")
        fixes.insert(0, f"go past it: NO_PROXY={urlsplit(exchange.url).hostname}")
    return Finding("cause", "mend", "; ".join(told), "; ".join(fixes))


def _compression(seen: Examination) -> Iterator[Finding]:
    if seen.exchange is not None and (encoding := _encoding(seen.exchange.headers)):
        told = f"compressed though lfg declines that (content-encoding: {encoding})"
        yield Finding("compression", "note", f"{told}; it does not hold the answer back today")


def _cut(seen: Examination, judgement: Judgement) -> Iterator[Finding]:
    if (error := seen.error) is None:
        return
    after = f"after {judgement.deltas} pieces and {seen.total:.1f} s"
    if error.kind not in ("cut", "timeout"):
        yield Finding("end", "mend", f"broke {after}: {error.message}")
        return
    found = marks(seen.exchange.headers) if seen.exchange is not None else []
    told = f"broke off {after}"
    if seen.silence >= _SILENT:
        told += f", {seen.silence:.1f} s of them silent at the end: an idle timeout on the way"
    elif judgement.verdict in ("lump", "nothing"):
        told += ", whose length an idle timeout on the way would explain"
    keep_open = found[0].proxy.keep_open if found else UNKNOWN.keep_open
    told += f" ({_named(found)})" if found else ""
    yield Finding("end", "mend", f"{told}: {error.message}", keep_open)


def _clock(seen: Examination) -> Iterator[Finding]:
    skew = clock_skew(seen)
    if skew is None:
        return
    if abs(skew) <= SKEW:
        yield Finding("clock", "ok", f"within {max(1, abs(skew)):.0f} s of the server's")
        return
    way = "ahead of" if skew > 0 else "behind"
    told = f"this machine is {_duration(abs(skew))} {way} the server"
    fix = "set the clock (timedatectl set-ntp true): keys and certificates are checked against it"
    yield Finding("clock", "mend", told, fix)


def _usage(seen: Examination) -> Iterator[Finding]:
    if seen.usage is not None:
        told = f"reported: {seen.usage.input} tokens in, {seen.usage.output} out"
        yield Finding("usage", "ok", told)
    elif seen.error is None:
        told = "not reported: tokens and cost will be estimates"
        yield Finding("usage", "note", told)


def _records(seen: Examination) -> Iterator[Finding]:
    if seen.unknown:
        counts = ", ".join(f"{name} ({count})" for name, count in seen.unknown.most_common())
        told = f"passed over, of types unknown to lfg: {counts}"
        yield Finding("records", "note", told)


def _named(found: list[Mark]) -> str:
    return ", then ".join(f"{mark.proxy.name} ({mark.evidence})" for mark in found)


def _encoding(headers: Headers) -> str:
    said = value_of(headers, "content-encoding")
    return "" if said.lower() == "identity" else said


def _cached(headers: Headers) -> str:
    said = value_of(headers, "x-cache")
    if "hit" in said.lower():
        return f"x-cache: {said}"
    age = value_of(headers, "age")
    return f"age: {age}" if age.strip("0") else ""


def _forward_proxy(seen: Examination) -> str:
    """Who was connected to, where that is not the host of the URL."""
    if seen.exchange is None or seen.exchange.peer is None:
        return ""
    host = urlsplit(seen.exchange.url).hostname or ""
    return "" if seen.exchange.peer.rpartition(":")[0] == host else seen.exchange.peer


def _duration(seconds: float) -> str:
    if seconds < 7200:
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
