"""Sends traces to a collector by OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp."""

from collections.abc import Mapping
from time import sleep
from typing import NamedTuple
from urllib.parse import unquote

import httpx
import msgspec

from lfgtui import __version__
from lfgtui.errors import UsageError
from lfgtui.export.webhook import reason_of
from lfgtui.model.ticket_keys.on_end import is_address
from lfgtui.providers.errors.reset_times import retry_after
from lfgtui.settings import environment

_PATH = "/v1/traces"
_RETRIED = frozenset({429, 502, 503, 504})  # statuses, as the specification has them
_DELAYS = (1.0, 2.0, 4.0)  # seconds between tries
_LONGEST_WAIT = 30.0
"""Most seconds to wait if a collector asks for more: a person waits for the command."""

_TIMEOUT = 30.0  # seconds, for each read
_MOST_BYTES = 64 << 10
"""Most bytes of an answer that are read."""

_ENDPOINT, _HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"
_TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_TRACES_HEADERS = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"


class Outcome(NamedTuple):
    """The outcome of a request: its failure, or the collector's message and rejected spans."""

    failure: str = ""
    message: str = ""
    rejected: int = 0


class _Rejection(msgspec.Struct, frozen=True):
    """The part of an accepted request that a collector rejected."""

    rejectedSpans: int | str = 0  # noqa: N815 - the names are the protocol's
    errorMessage: str = ""  # noqa: N815


class _Answer(msgspec.Struct, frozen=True):
    """The parts of an answer that are used: of a success, and the `message` of a failure."""

    partialSuccess: _Rejection | None = None  # noqa: N815
    message: str = ""


class Collector:
    """A collector at an address, or at that of OpenTelemetry's variables if it is "".

    Headers from these variables are sent with every request. `name` is its host, for messages.
    Raises `UsageError` if there is no valid address.
    """

    def __init__(self, address: str = "") -> None:
        self._url = _url(address)
        self._headers = _headers()
        self.name = httpx.URL(self._url).netloc.decode("ascii", "replace")

    def send(self, body: bytes) -> Outcome:
        """Send a request; up to three times more if the collector is busy. Blocks."""
        for delay in (*_DELAYS, None):
            try:
                status, headers, answer = self._post(body)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                return Outcome(reason_of(error))
            if 200 <= status < 300:
                return _taken(answer)
            if delay is None or status not in _RETRIED:
                break
            sleep(min(retry_after(headers) or delay, _LONGEST_WAIT))
        said = _read(answer).message
        return Outcome(f"HTTP {status}{f': {said}' if said else ''}")

    def _post(self, body: bytes) -> tuple[int, Mapping[str, str], str]:
        """Return the status, the headers and the beginning of the answer."""
        named = {"content-type": "application/json", "user-agent": f"lfg/{__version__}"}
        headers = {**named, **self._headers}
        with httpx.stream(
            "POST", self._url, content=body, headers=headers, timeout=_TIMEOUT
        ) as answer:
            text = b""
            for piece in answer.iter_bytes():
                text += piece
                if len(text) > _MOST_BYTES:
                    break
            return answer.status_code, answer.headers, text.decode("utf-8", "replace")


def _url(address: str) -> str:
    """Return the URL for traces: `_TRACES_ENDPOINT` as it is, any other with `_PATH` appended."""
    exact = "" if address else environment.variable(_TRACES_ENDPOINT) or ""
    base = address or environment.variable(_ENDPOINT) or ""
    if not (exact or base):
        raise UsageError(f"--to needs an address: --to URL, or {_ENDPOINT}")
    if not is_address(exact or base):
        wrong = exact or base
        raise UsageError(f'--to: "{wrong}" must begin with http:// or https:// and a host')
    base = base.rstrip("/")
    return exact or (base if base.endswith(_PATH) else f"{base}{_PATH}")


def _headers() -> dict[str, str]:
    """Return the headers in the variable, which has e.g. `name=value,other=a%20b`."""
    text = environment.variable(_TRACES_HEADERS) or environment.variable(_HEADERS) or ""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not (name.strip() and equals) for name, equals, _ in pairs):
        raise UsageError(f"{_HEADERS}: expected name=value, with commas between several")
    return {unquote(name.strip()): unquote(value.strip()) for name, _, value in pairs}


def _taken(text: str) -> Outcome:
    """Return the outcome of a request that was accepted, perhaps only in part."""
    partial = _read(text).partialSuccess
    if partial is None:
        return Outcome()
    count = str(partial.rejectedSpans)
    return Outcome("", partial.errorMessage, int(count) if count.isdecimal() else 0)


def _read(text: str) -> _Answer:
    """Return the answer, an empty one if it is no such JSON: a proxy may have sent it."""
    try:
        return msgspec.json.decode(text, type=_Answer)
    except (ValueError, RecursionError):
        return _Answer()
