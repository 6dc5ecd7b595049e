"""The one boundary where foreign errors become `ProviderError`.

An error arrives in one of two ways: as an exception of an SDK or an HTTP
library (`as_provider_error`), or as an object inside a stream that began with
status 200 (`in_stream`). Both end in `classify`, which reads the error code
first, since it is the most exact, then the message, then the status.

Exceptions are told apart by the name of their class and the package it comes
from, so this module imports none of those packages: two of them cost more to
import than the rest of the program.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit, urlunsplit

from lfgtui.errors import ErrorKind, ProviderError, too_many_files
from lfgtui.providers import lenient_json
from lfgtui.providers.errors.close_codes import KIND_OF_CLOSE
from lfgtui.providers.errors.kinds import KIND_OF_CLASS, KIND_OF_CODE, PACKAGES
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.text.redaction.redactor import Redactor, is_key
from lfgtui.text.terminal_safe import visible

_OVERFLOW = re.compile(
    r"context (?:length|window|size|limit)|maximum context|prompt is too long"
    r"|maximum prompt length|input token count.*exceeds|input is too long"
    r"|reduce the length of (?:the|your) (?:messages|prompt|input)|context_length",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"payload is not completed|incomplete chunked read|peer closed connection|server disconnected"
    r"|connection (?:was )?(?:broken|reset|aborted)|unexpected eof|premature(?:ly)? (?:close|end)",
    re.IGNORECASE,
)
"""How gateways pass on that their own upstream broke off (aiohttp, httpx, urllib3, Go, Node)."""

_MASKED = re.compile(r"\b(?:sk|xai|gsk|rk|pk)-[\w.\-]*\*{2}[\w*.\-]*")
"""A key as servers show it that hide its middle."""

_LONGEST_MESSAGE = 400
_READ_OF_A_MESSAGE = 10 * _LONGEST_MESSAGE
_LONGEST_PLACE = 200
_LONGEST_CHAIN = 8  # of causes; libraries wrap an error two or three times
_LONGEST_WAIT = 365 * 86_400.0
"""Seconds; a server that asks for more means never."""

_SILENT = {"ReadError": "the server, or something on the way to it, reset it"}
"""What exceptions mean that come without a message."""


def classify(status: int | None, codes: tuple[str, ...], message: str) -> ErrorKind:
    """What kind of failure this is. `codes` from the most exact to the vaguest."""
    kinds = [kind for code in codes if (kind := KIND_OF_CODE.get(code.lower())) is not None]
    vague: tuple[ErrorKind, ...] = ("invalid_request", "server")
    for kind in kinds:
        if kind not in vague:
            return kind
    if status not in (401, 403, 404, 429) and _OVERFLOW.search(message):
        return "context_overflow"
    by_status = kind_of_status(status)
    if not kinds or (status is not None and (kinds[0] == "server" or by_status not in vague)):
        return by_status  # it tells an overload from a fault, and what is not there from a mistake
    return kinds[0]


def kind_of_status(status: int | None) -> ErrorKind:
    """The kind an HTTP status speaks for by itself."""
    match status:
        case 401 | 402 | 403:
            return "auth"
        case 404:
            return "not_found"
        case 408:
            return "timeout"
        case 429:
            return "rate_limit"
        case 503 | 529:
            return "overloaded"
        case int() if 400 <= status < 500 and status != 409:
            return "invalid_request"
        case _:
            return "server"


def kind_of_close(code: int, reason: str = "") -> ErrorKind:
    """The kind a WebSocket's close code speaks for.

    Servers of their own make put an HTTP status behind 4000, as in 4401 or 4429.
    """
    if (kind := KIND_OF_CLOSE.get(code)) is not None:
        return kind
    return classify(code - 4000 if 4400 <= code < 4600 else None, (reason,), reason)


def refused(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime | None = None
) -> ProviderError:
    """The error of a plain response that is no answer, with the server's own words."""
    said: object = lenient_json.parse_object(body) or body.decode("utf-8", "replace")
    return _of_status(status, headers, said, now or datetime.now(UTC))


def redirected(status: int, location: str) -> ProviderError:
    """The error of a redirect, which no wire follows.

    What would come is a page, or the answer to a GET; and whom it leads to
    has no right to the key, nor to what the conversation says.
    """
    try:
        parts = urlsplit(location)
        host = parts.netloc.rpartition("@")[2]  # no password, and no query below
        where = urlunsplit(parts._replace(netloc=host, query="", fragment=""))
    except ValueError:
        where = ""
    where = one_line(where[:_LONGEST_PLACE]) or "elsewhere"
    told = f"the server redirects to {where} (HTTP {status}), which lfg does not follow"
    hint = "base_url must be the API's final address"
    return ProviderError("invalid_request", f"{told}; {hint}")


def unreachable(host: str, why: str) -> ProviderError:
    """The error of a server to which there is no connection."""
    local = host.startswith(("127.", "localhost", "[::1]"))
    hint = "is the server running?" if local else "check base_url, the network and any proxy"
    return ProviderError("connection", f"cannot reach {host or 'the server'}: {why}; {hint}")


def in_stream(body: object, *, status: int | None = None) -> ProviderError:
    """An error reported inside a response: an `error` object, or its bare message."""
    error = lenient_json.as_object(body) or {}
    code = lenient_json.number(error, "code")
    status = status or lenient_json.number(error, "status_code") or code
    message = one_line(_message_of(body) or "the provider reported an error without a message")
    kind = classify(status, _codes_of(error), message)
    if kind == "server" and _CUT.search(message):
        kind = "cut"
    return ProviderError(kind, message)


def as_provider_error(
    error: Exception, *, key: str | None = None, now: datetime | None = None
) -> ProviderError:
    """Any exception as a `ProviderError`; `key` is kept out of the message.

    `now` is what an HTTP date in Retry-After is measured against.
    """
    found = _ours(error) or _of_foreign(error, now or datetime.now(UTC))
    message = found.message.replace(key, "[key]") if key and is_key(key) else found.message
    message = one_line(message)
    if found is error and message == found.message:
        return found
    return ProviderError(
        found.kind, message, retry_after=found.retry_after, retryable=found.retryable
    )


def kind_of_class(cls: type[BaseException]) -> ErrorKind | None:
    """The kind of a class of the mapped packages; None for any other class."""
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in PACKAGES and base.__name__ in KIND_OF_CLASS:
            return KIND_OF_CLASS[base.__name__]
    return None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the server asks to wait: `retry-after-ms`, or `retry-after` as
    seconds or as an HTTP date (RFC 9110, 10.2.3); None where it does not say."""
    milliseconds = _positive(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return min(milliseconds / 1000, _LONGEST_WAIT)
    said = headers.get("retry-after", "")
    seconds = _positive(said)
    if seconds is None and said:
        try:
            date = parsedate_to_datetime(said)
            seconds = max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
        except (ValueError, OverflowError):  # a year that no calendar has
            return None
    return seconds if seconds is None else min(seconds, _LONGEST_WAIT)


def one_line(message: str) -> str:
    """The message on one line, of bearable length, harmless to a terminal, without a key."""
    line = " ".join(visible(message[:_READ_OF_A_MESSAGE]).split())
    line = _MASKED.sub("[key]", _rules().text(line))
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[: _LONGEST_MESSAGE - 1]}…"


def _ours(error: BaseException | None) -> ProviderError | None:
    """The error of our own that a library has wrapped in one of its own."""
    for _ in range(_LONGEST_CHAIN):
        if error is None or isinstance(error, ProviderError):
            return error
        error = error.__cause__
    return None


def _of_foreign(error: Exception, now: datetime) -> ProviderError:
    if (told := too_many_files(error)) is not None:
        return ProviderError("connection", told)
    if isinstance(error, ExceptionGroup):
        inner = error.exceptions[0]
        return _ours(inner) or _of_foreign(inner, now)
    try:
        return _of_exception(error, now)
    except Exception as failure:  # what a server said was too odd even to be told
        told = f"{type(error).__name__}, whose message cannot be read ({type(failure).__name__})"
        return ProviderError("internal", told)


@cache
def _rules() -> Redactor:
    return Redactor()


def _of_exception(error: Exception, now: datetime) -> ProviderError:
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    kind = kind_of_class(type(error))
    if isinstance(status, int) and response is not None:
        found = _of_status(status, response.headers, getattr(error, "body", None), now)
        return found if kind != "protocol" else ProviderError("protocol", found.message)
    if kind == "server" and isinstance(getattr(response, "status_code", None), int):
        return _of_plain_response(response, now)
    if kind is None:
        if isinstance(error, TimeoutError):
            return ProviderError("timeout", str(error) or "the request timed out")
        return ProviderError(_kind_of_builtin(error), f"{type(error).__name__}: {error}")
    if kind == "connection" or _connect_clock(error) is not None:
        return _of_connection(error, now)
    if hasattr(error, "rcvd"):
        return _of_close(error)
    body = getattr(error, "body", None)
    if kind == "server" and body is not None:
        return in_stream(body)
    return ProviderError(kind, _plain(error, kind))


def _kind_of_builtin(error: Exception) -> ErrorKind:
    match error:
        case OSError():
            return "connection"
        case UnicodeDecodeError() | RecursionError() | MemoryError():
            return "protocol"  # more, or something else, than can be read
        case UnicodeError():
            return "invalid_request"  # a host name that none can be
        case _:
            return "internal"


def _of_status(
    status: int, headers: Mapping[str, str], body: object, now: datetime
) -> ProviderError:
    if 300 <= status < 400:
        return redirected(status, headers.get("location", ""))
    # Anthropic's SDK keeps the whole body, OpenAI's the `error` inside it.
    outer = lenient_json.as_object(body) or {}
    inner = lenient_json.as_object(outer.get("error")) or outer
    said = _message_of(body) or f"the server answered with status {status} and no message"
    ours = status if status >= 400 else lenient_json.number(inner, "code")
    kind = classify(ours, _codes_of(inner), said)
    return ProviderError(
        kind, f"{said.rstrip('.')} (HTTP {status})", retry_after=retry_after(headers, now)
    )


def _of_plain_response(response: object, now: datetime) -> ProviderError:
    """A refusal as httpx (`content`) or websockets (`body`) keep it."""
    status: int = getattr(response, "status_code", 0)
    body = getattr(response, "body", None) or getattr(response, "content", None) or b""
    if status < 300:
        message = f"the server answered with HTTP {status} where a WebSocket was to begin"
        return ProviderError("protocol", f"{message}; is base_url the agent's?")
    return refused(status, getattr(response, "headers", {}), bytes(body), now=now)


def _of_close(error: Exception) -> ProviderError:
    """A WebSocket that was closed: by the server, with a code, or by the network."""
    received, sent = getattr(error, "rcvd", None), getattr(error, "sent", None)
    if sent is not None and sent.code == 1009:  # we refused what came
        return ProviderError("protocol", f"a message is too long: {sent.reason}")
    if sent is not None and sent.code in (1002, 1007) and not getattr(error, "rcvd_then_sent", 0):
        return ProviderError("protocol", f"the server broke the WebSocket protocol: {sent.reason}")
    if received is None:
        return ProviderError("cut", _plain(error, "cut"))
    kind, reason = kind_of_close(received.code, received.reason), received.reason
    said = f"{reason.rstrip('.')} (WebSocket close code {received.code})" if reason else ""
    return ProviderError(kind, said or f"the server closed the WebSocket: {received}")


def _of_connection(error: Exception, now: datetime) -> ProviderError:
    cause = error.__cause__
    if (seconds := _connect_clock(error)) is not None:
        why = f"no connection within {seconds} s (connect_timeout)"
    elif isinstance(cause, Exception) and (kind := kind_of_class(type(cause))) is not None:
        # What the SDK calls a connection error may be a cut or a bad address.
        if kind != "connection":
            return _of_exception(cause, now)
        why = str(cause) or type(cause).__name__
    else:
        why = str(error) or type(error).__name__
    return unreachable(_host_of(error), why)


def _connect_clock(error: Exception) -> str | None:
    """The seconds allowed for connecting, where it was they that ran out."""
    for one in (error, error.__cause__):
        if type(one).__name__ == "ConnectTimeout":
            extensions = getattr(_request_of(error), "extensions", {})
            allowed = extensions.get("timeout", {}).get("connect")
            return f"{allowed:g}" if isinstance(allowed, int | float) else "the allowed"
    return None


def _request_of(error: Exception) -> object:
    try:
        return getattr(error, "request", None)
    except RuntimeError:  # httpx's way to say that no request is known
        return None


def _host_of(error: Exception) -> str:
    url = getattr(_request_of(error), "url", None)
    if url is None:
        return ""
    netloc = url.netloc
    return netloc.decode("ascii", "replace") if isinstance(netloc, bytes) else str(netloc)


def _plain(error: Exception, kind: ErrorKind) -> str:
    name = type(error).__name__
    said = str(error) or _SILENT.get(name, name)
    if kind == "cut":
        return f"the connection broke off: {said}"
    if name == "DecodingError":
        return f"the response cannot be decompressed, is a proxy in between? {said}"
    if kind == "timeout":
        return f"the request timed out: {said}"
    return said


def _codes_of(error: JsonObject) -> tuple[str, ...]:
    details = lenient_json.child(error, "details")
    candidates = (
        lenient_json.text(details, "error_code"),
        *(lenient_json.text(error, key) for key in ("code", "type", "status")),
    )
    return tuple(code for code in candidates if code)


def _message_of(body: object) -> str:
    """The server's own words, from any of the places where servers put them."""
    if isinstance(body, str):
        # A page of HTML is a proxy speaking, and says nothing to a person.
        return "" if body.lstrip().startswith("<") else body
    if isinstance(body, list):
        return "; ".join(filter(None, (_message_of(item) for item in body[:3])))
    record = lenient_json.as_object(body)
    if record is None:
        return ""
    for key in ("error", "message", "detail", "msg"):
        if said := _message_of(record.get(key)):
            where = record.get("loc")
            path = ".".join(str(part) for part in where) if isinstance(where, list) else ""
            return f"{path}: {said}" if path and key == "msg" else said
    return ""


def _positive(said: str) -> float | None:
    try:
        value = float(said)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
