"""The one boundary where foreign errors become `ProviderError`.

An error arrives in one of two ways: as an exception of an SDK or an HTTP
library (`as_provider_error`), or as an object inside a stream that began with
status 200 (`in_stream`). Both end in `classify`, which reads the error code
first, since it is the most exact, then the message, then the status.

Exceptions are recognized by the name of their class and the package it comes
from, so this module imports none of those packages: two of them cost more to
import than the rest of the program.
"""

import re
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit, urlunsplit

from lfgtui.errors import LIMIT_KINDS, ErrorKind, ProviderError, shortened, too_many_files
from lfgtui.providers import lenient_json
from lfgtui.providers.errors.kinds import (
    KIND_OF_CLASS,
    KIND_OF_CLOSE,
    KIND_OF_CODE,
    KIND_OF_STATUS,
    PACKAGES,
)
from lfgtui.providers.errors.reset_times import resets_after, retry_after, wait_in_error
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.text.redactor import Redactor, is_key
from lfgtui.text.terminal_safe import visible

_OVERFLOW = re.compile(
    r"context (?:length|window|size|limit)|maximum context|prompt is too long"
    r"|maximum prompt length|input token count.*exceeds|input is too long"
    r"|reduce the length of (?:the|your) (?:messages|prompt|input)|context_length",
    re.IGNORECASE,
)
"""As in "prompt is too long: 210000 tokens > 200000 maximum", for servers that send no code."""

_CUT = re.compile(
    r"payload is not completed|incomplete chunked read|peer closed connection|server disconnected"
    r"|connection (?:was )?(?:broken|reset|aborted)|unexpected eof|premature(?:ly)? (?:close|end)",
    re.IGNORECASE,
)
"""Messages of a gateway that lost its own server (aiohttp, httpx, urllib3, Go, Node), as in
"peer closed connection without sending complete message body"."""

_MASKED = re.compile(r"\b(?:sk|xai|gsk|rk|pk)-[\w.\-]*\*{2}[\w*.\-]*")
"""A key with its middle hidden, as servers show it: `sk-proj-********abcd`."""

_LONGEST_MESSAGE = 400  # characters
_READ_OF_A_MESSAGE = 10 * _LONGEST_MESSAGE  # before spaces are joined and keys removed
_LONGEST_PLACE = 200  # characters of the address that a redirect leads to
_LONGEST_CHAIN = 8  # of causes; libraries wrap an error two or three times

_VAGUE: frozenset[ErrorKind] = frozenset({"invalid_request", "server"})
"""Kinds whose codes servers also send for failures that the message or the status tells better."""


def classify(status: int | None, codes: tuple[str, ...], message: str) -> ErrorKind:
    """Return the kind of a failure. `codes` go from the most exact to the vaguest."""
    kinds = [kind for code in codes if (kind := KIND_OF_CODE.get(code.lower())) is not None]
    if exact := [kind for kind in kinds if kind not in _VAGUE]:
        return exact[0]
    if status not in (401, 403, 404, 429) and _OVERFLOW.search(message):
        return "context_overflow"
    is_bad_request = status is not None and 400 <= status < 500
    by_status = KIND_OF_STATUS.get(status, "invalid_request" if is_bad_request else "server")
    if not kinds or (status is not None and (kinds[0] == "server" or by_status not in _VAGUE)):
        return by_status  # more exact than a vague code: overloaded, not found
    return kinds[0]


def kind_of_close(code: int, reason: str = "") -> ErrorKind:
    """Return the kind of a WebSocket's close code.

    Some servers add an HTTP status to 4000, as in 4401 or 4429.
    """
    status = code - 4000 if 4400 <= code < 4600 else None
    return KIND_OF_CLOSE.get(code) or classify(status, (reason,), reason)


def refused(status: int, headers: Mapping[str, str], body: object) -> ProviderError:
    """Return the error for a response that is a refusal, with the server's own words.

    `body` is its bytes or, as the SDKs keep it, the JSON in them.
    """
    if 300 <= status < 400:
        return redirected(status, headers.get("location", ""))
    if isinstance(body, bytes):
        body = lenient_json.parse_object(body) or body.decode("utf-8", "replace")
    # Anthropic's SDK keeps the whole body, OpenAI's the `error` inside it.
    outer = lenient_json.as_object(body) or {}
    error = lenient_json.as_object(outer.get("error")) or outer
    message = _message_of(body) or "the server refused the request without a message"
    code = status if status >= 400 else lenient_json.number(error, "code")
    codes = _codes_of(error)
    kind, wait = classify(code, codes, message), retry_after(headers)
    if kind in LIMIT_KINDS or status == 403:
        wait = _first(wait, wait_in_error(error, message), resets_after(headers, error))
        if status == 403 and wait is not None and not any(map(_is_known, codes)):
            kind = "rate_limit"  # as GitHub sends it; a refused key does not say when it ends
    message = f"{message.rstrip('.')} (HTTP {status})"
    return ProviderError(kind, message, retry_after=wait, status=status)


def redirected(status: int, location: str) -> ProviderError:
    """Return the error for a redirect, which no wire follows.

    It would lead to a web page, or be followed with a GET; and the other server
    must not get the key or the conversation.
    """
    try:
        parts = urlsplit(location)
        host = parts.netloc.rpartition("@")[2]  # no password, and no query below
        where = urlunsplit(parts._replace(netloc=host, query="", fragment=""))
    except ValueError:
        where = ""
    where = one_line(where[:_LONGEST_PLACE]) or "elsewhere"
    message = f"the server redirects to {where} (HTTP {status}); set base_url to the final address"
    return ProviderError("invalid_request", message)


def unreachable(host: str, why: str) -> ProviderError:
    """Return the error for a server to which there is no connection."""
    local = host.startswith(("127.", "localhost", "[::1]"))
    hint = "is the server running?" if local else "check base_url, the network and any proxy"
    return ProviderError("connection", f"cannot reach {host or 'the server'}: {why}; {hint}")


def in_stream(body: object) -> ProviderError:
    """Map an error reported inside a response: an `error` object, or its bare message."""
    error = lenient_json.as_object(body) or {}
    status = lenient_json.number(error, "status_code") or lenient_json.number(error, "code")
    message = one_line(_message_of(body) or "the provider reported an error without a message")
    kind = classify(status, _codes_of(error), message)
    if kind == "server" and _CUT.search(message):
        return ProviderError("cut", message)
    wait = wait_in_error(error, message) if kind in LIMIT_KINDS else None
    return ProviderError(kind, message, retry_after=wait)


def as_provider_error(error: Exception, *, key: str | None = None) -> ProviderError:
    """Map any exception; `key` is kept out of the message."""
    ours = _ours(error) or _of_foreign(error)
    message = ours.message.replace(key, "[key]") if key and is_key(key) else ours.message
    message = one_line(message)
    if ours is error and message == ours.message:
        return ours
    return ProviderError(
        ours.kind,
        message,
        retry_after=ours.retry_after,
        retryable=ours.retryable,
        status=ours.status,
    )


def kind_of_class(cls: type[BaseException]) -> ErrorKind | None:
    """Return the kind of a class of the mapped packages; None for any other class."""
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in PACKAGES and base.__name__ in KIND_OF_CLASS:
            return KIND_OF_CLASS[base.__name__]
    return None


def one_line(message: str) -> str:
    """Return the message on one line, shortened, without keys, safe for a terminal."""
    line = " ".join(visible(message[:_READ_OF_A_MESSAGE]).split())
    return shortened(_MASKED.sub("[key]", _rules().text(line)), _LONGEST_MESSAGE)


def _ours(error: BaseException | None) -> ProviderError | None:
    """Return an error of ours that a library has wrapped in one of its own."""
    for _ in range(_LONGEST_CHAIN):
        if error is None or isinstance(error, ProviderError):
            return error
        error = error.__cause__
    return None


@cache
def _rules() -> Redactor:
    """Return a redactor of everything that looks like a key."""
    return Redactor()


def _of_foreign(error: Exception) -> ProviderError:
    """Map an exception that neither is nor wraps a `ProviderError`."""
    if (message := too_many_files(error)) is not None:
        return ProviderError("connection", message)
    if isinstance(error, ExceptionGroup):
        inner = error.exceptions[0]
        return _ours(inner) or _of_foreign(inner)
    try:
        return _of_exception(error)
    except Exception as failure:  # a server's message was too odd even to be read
        message = f"{type(error).__name__} with an unreadable message ({type(failure).__name__})"
        return ProviderError("internal", message)


def _of_exception(error: Exception) -> ProviderError:
    """Map an exception by its class, and by what its library noted in it."""
    kind, name, cause = kind_of_class(type(error)), type(error).__name__, error.__cause__
    response = getattr(error, "response", None)
    if kind is None:
        return _of_builtin(error)
    if isinstance(getattr(response, "status_code", None), int):
        return _of_response(error, response, kind)
    if kind == "connection" or type(cause).__name__ == "ConnectTimeout":
        return _of_connection(error)
    if hasattr(error, "rcvd"):
        return _of_close(error)
    message = str(error) or name
    if kind == "cut":
        why = str(error) or ("the server or a proxy reset it" if name == "ReadError" else name)
        message = f"the connection was lost: {why}"
    elif kind == "timeout":
        message = f"the request timed out: {message}"
    return ProviderError(kind, message)


def _of_builtin(error: Exception) -> ProviderError:
    """Map an exception of no package in `kinds.PACKAGES`."""
    kind: ErrorKind
    match error:
        case TimeoutError():
            return ProviderError("timeout", str(error) or "the request timed out")
        case OSError():
            kind = "connection"
        case UnicodeDecodeError() | RecursionError() | MemoryError():
            kind = "protocol"  # too much to be read, or no text
        case UnicodeError():
            kind = "invalid_request"  # an impossible host name
        case _:
            kind = "internal"
    return ProviderError(kind, f"{type(error).__name__}: {error}")


def _of_response(error: Exception, response: object, kind: ErrorKind) -> ProviderError:
    """Map a refusal: an SDK's error has its `body`, the websockets library's only a response."""
    status: int = getattr(response, "status_code", 0)
    if hasattr(error, "body"):
        body = error.body
    elif status < 300:
        message = f"expected a WebSocket, but the server sent HTTP {status}; check base_url"
        return ProviderError("protocol", message)
    else:
        body = bytes(getattr(response, "body", None) or b"")
    mapped = refused(status, getattr(response, "headers", {}), body)
    return ProviderError(kind, mapped.message) if kind == "protocol" else mapped


def _of_close(error: Exception) -> ProviderError:
    """Map the end of a WebSocket: by the server, with a code, or by the network."""
    received, sent = getattr(error, "rcvd", None), getattr(error, "sent", None)
    if sent is not None and sent.code == 1009:  # we refused what came
        return ProviderError("protocol", f"a message is too long: {sent.reason}")
    if sent is not None and sent.code in (1002, 1007) and not getattr(error, "rcvd_then_sent", 0):
        return ProviderError("protocol", f"the server broke the WebSocket protocol: {sent.reason}")
    if received is None:
        return ProviderError("cut", f"the connection was lost: {error}")
    kind, reason = kind_of_close(received.code, received.reason), received.reason
    message = f"{reason.rstrip('.')} (WebSocket close code {received.code})" if reason else ""
    wait = wait_in_error({}, reason) if kind in LIMIT_KINDS else None
    message = message or f"the server closed the WebSocket: {received}"
    return ProviderError(kind, message, retry_after=wait)


def _of_connection(error: Exception) -> ProviderError:
    """Map a failure to connect, and whatever else an SDK reports as one."""
    cause = error.__cause__
    try:
        request = getattr(error, "request", None)
    except RuntimeError:  # httpx's way to say that no request is known
        request = None
    if "ConnectTimeout" in (type(error).__name__, type(cause).__name__):
        allowed = getattr(request, "extensions", {}).get("timeout", {}).get("connect")
        is_known = isinstance(allowed, int | float)
        within = f"{allowed:g} s (connect_timeout)" if is_known else "connect_timeout"
        why = f"no connection within {within}"
    elif isinstance(cause, Exception) and (kind := kind_of_class(type(cause))) is not None:
        # What the SDK calls a connection error may be a cut or a bad address.
        if kind != "connection":
            return _of_exception(cause)
        why = str(cause) or type(cause).__name__
    else:
        why = str(error) or type(error).__name__
    host = getattr(getattr(request, "url", None), "netloc", "")
    return unreachable(host.decode("ascii", "replace") if isinstance(host, bytes) else host, why)


def _first(*waits: float | None) -> float | None:
    return next((wait for wait in waits if wait is not None), None)


def _is_known(code: str) -> bool:
    return code.lower() in KIND_OF_CODE


def _codes_of(error: JsonObject) -> tuple[str, ...]:
    """Return the error's codes, from the most exact to the vaguest."""
    exact = lenient_json.text(lenient_json.child(error, "details"), "error_code")
    vaguer = (lenient_json.text(error, key) for key in ("code", "type", "status"))
    return tuple(filter(None, (exact, *vaguer)))


def _message_of(body: object) -> str:
    """Return the server's own words, from any field where servers put them."""
    if isinstance(body, str):
        # A page of HTML comes from a proxy and has no message that could be shown.
        return "" if body.lstrip().startswith("<") else body
    if isinstance(body, list):
        return "; ".join(filter(None, (_message_of(item) for item in body[:3])))
    record = lenient_json.as_object(body)
    if record is None:
        return ""
    for key in ("error", "message", "detail", "msg"):
        if message := _message_of(record.get(key)):
            where = record.get("loc")
            path = ".".join(str(part) for part in where) if isinstance(where, list) else ""
            return f"{path}: {message}" if path and key == "msg" else message
    return ""
