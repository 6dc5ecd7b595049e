"""The boundary where foreign errors become ours."""

import errno
import ssl
from collections.abc import Mapping, Sequence
from types import ModuleType

import anthropic
import anyio
import h11
import httpcore
import httpcore2
import httpx
import httpx2
import openai
import openai.types
import pytest
import websockets.exceptions
from websockets.datastructures import Headers
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    InvalidStatus,
    PayloadTooBig,
)
from websockets.frames import Close
from websockets.http11 import Response

from lfgtui.errors import ErrorKind, ProviderError
from lfgtui.providers.errors.mapping import as_provider_error, classify, in_stream, kind_of_class
from tests.text.secrets import SECRETS

REQUEST = httpx2.Request("POST", "http://127.0.0.1:9/v1/x")
OF_OURS = {"OpenAIError", "AnthropicError", "WebSocketQueueFullError"}
STREAM_MISUSE = {"StreamError", "StreamConsumed", "StreamClosed", "ResponseNotRead"}
STREAM_MISUSE |= {"RequestNotRead", "CookieConflict"}
SOCKET_MISUSE = {"WebSocketException", "InvalidState", "ConcurrencyError"}


def each(table: Mapping[ErrorKind, Sequence[object]], name: str) -> pytest.MarkDecorator:
    """Parametrize a test by a kind and each of what has it."""
    rows = [(kind, value) for kind, values in table.items() for value in values]
    return pytest.mark.parametrize(("kind", name), rows, ids=str)


def public_errors(package: ModuleType) -> list[type[Exception]]:
    modules = [package, getattr(package, "_exceptions", package)]
    values = [value for module in modules for value in list(vars(module).values())]
    return [
        cls
        for cls in values
        if isinstance(cls, type)
        and issubclass(cls, Exception)
        and not issubclass(cls, Warning)
        and not cls.__name__.startswith("_")
        and cls.__module__.partition(".")[0] == package.__name__.partition(".")[0]
    ]


@pytest.mark.parametrize(
    "package", [openai, anthropic, httpx, httpx2, websockets.exceptions], ids=lambda p: p.__name__
)
def test_no_public_error_is_left_unmapped(package: ModuleType) -> None:
    errors = public_errors(package)
    assert len(errors) > 15
    for cls in errors:
        kind = kind_of_class(cls)
        assert kind is not None, cls
        if kind == "internal":
            assert cls.__name__ in OF_OURS | STREAM_MISUSE | SOCKET_MISUSE, cls


def status_error(status: int, body: object, *, sdk: str = "anthropic") -> ProviderError:
    response = httpx2.Response(status, request=REQUEST)
    cls = anthropic.APIStatusError if sdk == "anthropic" else openai.APIStatusError
    return as_provider_error(cls("Error code", response=response, body=body))


STATUSES: dict[ErrorKind, list[int]] = {
    "invalid_request": [400, 413, 422],
    "auth": [401, 402, 403],
    "not_found": [404],
    "timeout": [408],
    "server": [409, 500],
    "rate_limit": [429],
    "overloaded": [503, 529],
}


@each(STATUSES, "status")
def test_a_status_without_a_message_has_a_kind_and_is_named(kind: ErrorKind, status: int) -> None:
    error = status_error(status, None)
    assert error.kind == kind
    assert str(status) in error.message and error.status == status


EXCEPTIONS: dict[ErrorKind, list[Exception]] = {
    "internal": [RuntimeError("x"), AssertionError(), KeyError("x")],
    "protocol": [
        *(RecursionError("x"), MemoryError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x")),
        PayloadTooBig(9, 4),
    ],
    "invalid_request": [
        *(UnicodeError("label too long"), h11.LocalProtocolError("x"), httpx2.InvalidURL("so"))
    ],
    "cut": [
        *(h11.RemoteProtocolError("illegal header line"), httpx.RemoteProtocolError("so")),
        *(httpcore.ReadError("x"), httpx2.ReadError("so"), anyio.BrokenResourceError()),
        *(ConnectionClosed(None, None), ConnectionClosedError(None, Close(1011, "no pong"))),
    ],
    "connection": [
        *(httpcore2.ConnectTimeout("x"), httpcore2.ConnectError("x"), httpx2.ConnectTimeout("so")),
        *(httpcore.ConnectionNotAvailable(), httpx.ConnectError("so"), ssl.SSLError(1, "x")),
        ConnectionResetError("gone"),
    ],
    "overloaded": [ExceptionGroup("several", [ProviderError("overloaded", "x"), ValueError()])],
    "timeout": [httpx.ReadTimeout("so"), TimeoutError()],
}


@each(EXCEPTIONS, "error")
def test_an_exception_of_any_library_has_a_kind(kind: ErrorKind, error: Exception) -> None:
    mapped = as_provider_error(error)
    assert mapped.kind == kind
    assert mapped.message


def test_a_connect_timeout_of_unknown_length_names_the_setting() -> None:
    mapped = as_provider_error(httpx.ConnectTimeout("so"))
    assert "no connection within connect_timeout; " in mapped.message


def test_a_provider_error_stays_as_it_is() -> None:
    known = ProviderError("cut", "x")
    assert as_provider_error(known) is known


def test_too_many_open_files_are_explained_however_they_are_wrapped() -> None:
    system = OSError(errno.EMFILE, "Too many open files")
    connecting = httpx2.ConnectError("All connection attempts failed")
    connecting.__cause__ = OSError("multiple connection attempts failed")
    connecting.__cause__.__cause__ = ExceptionGroup("attempts", [OSError("refused"), system])
    sdk = openai.APIConnectionError(request=REQUEST)
    sdk.__cause__ = connecting
    for error in (system, connecting, sdk):
        mapped = as_provider_error(error)
        assert (mapped.kind, mapped.retryable) == ("connection", True)
        assert mapped.message.startswith("too many open files in lfg (")
        assert "--concurrency" in mapped.message


def test_any_message_is_short_and_harmless() -> None:
    hostile = "\x1b]52;c;eA==\x07\x9b31m\u202e" + "x" * 1_000_000
    for error in (ProviderError("server", hostile), ValueError(hostile), httpx2.ReadError(hostile)):
        message = as_provider_error(error).message
        assert len(message) <= 400
        assert message.isprintable()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"type": "error", "error": {"type": "x", "message": "Too\nbad."}}, "Too bad (HTTP 400)"),
        ({"message": "flat"}, "flat (HTTP 400)"),
        ({"error": "a string"}, "a string (HTTP 400)"),
        ({"detail": [{"loc": ["body", "x"], "msg": "missing"}]}, "body.x: missing (HTTP 400)"),
        ("plain", "plain (HTTP 400)"),
        ("<html>502</html>", "the server refused the request without a message (HTTP 400)"),
    ],
)
@pytest.mark.parametrize("sdk", ["anthropic", "openai"])
def test_the_servers_message_is_found_in_every_form(body: object, message: str, sdk: str) -> None:
    assert status_error(400, body, sdk=sdk).message == message


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "context_length_exceeded", "", "context_overflow"),
        (400, "invalid_request_error", "prompt is too long: 9 tokens > 8", "context_overflow"),
        (400, "invalid_request_error", "temperature is bad", "invalid_request"),
        (400, "", "the request exceeds the available context size", "context_overflow"),
        (413, "rate_limit_exceeded", "Request too large on tokens per minute", "rate_limit"),
        (429, "insufficient_quota", "You exceeded your current quota", "auth"),
        (404, "", "context window of what?", "not_found"),
        (404, "invalid_request_error", "no such model", "not_found"),
        (429, "invalid_request_error", "slow down", "rate_limit"),
        (500, "invalid_request_error", "a tool's schema is bad", "invalid_request"),
        (None, "overloaded_error", "Overloaded", "overloaded"),
        (None, "", "whatever", "server"),
    ],
)
def test_the_best_code_wins(status: int | None, code: str, message: str, kind: ErrorKind) -> None:
    assert classify(status, (code,), message) == kind


def test_an_sdk_connection_error_names_its_cause() -> None:
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = httpx2.ConnectError("Connection refused")
    mapped = as_provider_error(error)
    assert mapped.kind == "connection"
    assert mapped.message == "cannot reach 127.0.0.1:9: Connection refused; is the server running?"
    cut = anthropic.APIConnectionError(request=REQUEST)
    cut.__cause__ = httpx2.RemoteProtocolError("peer closed")
    assert as_provider_error(cut).kind == "cut"


def test_no_message_contains_a_key() -> None:
    key = "abcDEF123"
    error = httpx2.LocalProtocolError(f"Illegal header value b'Bearer {key}'")
    assert key not in as_provider_error(error, key=key).message
    body = {"error": {"message": "Incorrect API key provided: sk-proj-abc***xyz."}}
    assert "abc" not in status_error(401, body).message


@pytest.mark.parametrize(
    "words",
    [
        "Missing Bearer token in header",
        "expected Authorization: Bearer <key>, got none",
        "No key-values were given; pip install sk-learn.svm, then rk-4 and pk-based ones",
        "unknown model key-value-model-large",
    ],
)
def test_words_like_keys_stay_in_a_message(words: str) -> None:
    assert status_error(401, {"error": {"message": words}}).message.startswith(words)
    assert as_provider_error(ProviderError("auth", words), key="key").message == words


@pytest.mark.parametrize("secret", SECRETS)
def test_a_message_repeats_no_secret(secret: str) -> None:
    message = status_error(401, {"error": {"message": f"Your key {secret} is wrong."}}).message
    assert secret not in message
    assert "[redacted: " in message


def test_an_error_in_a_stream_without_a_message_has_one() -> None:
    assert in_stream({}).message == "the provider reported an error without a message"
    assert in_stream({"code": 429}).kind == "rate_limit"


@pytest.mark.parametrize(
    "message",
    [
        "Response payload is not completed: <TransferEncodingError: 400, message='Not enough'>",
        "litellm.APIConnectionError: peer closed connection without sending complete message body",
        "upstream: unexpected EOF",
        "Premature close",
        "read: connection reset by peer",
    ],
)
def test_a_gateway_whose_own_upstream_broke_off_reports_a_cut(message: str) -> None:
    error = in_stream({"type": "server_error", "code": "500", "message": message})
    assert (error.kind, error.retryable) == ("cut", True)
    # What the provider says more exactly stands.
    assert in_stream({"type": "overloaded_error", "message": message}).kind == "overloaded"


CLOSES: dict[ErrorKind, list[Close]] = {
    "cut": [Close(1001, ""), Close(1006, ""), Close(1012, "")],
    "protocol": [Close(1002, "")],
    "auth": [Close(1008, ""), Close(3000, ""), Close(4401, ""), Close(4403, "")],
    "invalid_request": [Close(1009, ""), Close(4400, "")],
    "server": [Close(1011, ""), Close(4000, "")],
    "overloaded": [Close(1013, ""), Close(4503, "")],
    "not_found": [Close(4404, "")],
    "timeout": [Close(4408, "")],
    "rate_limit": [Close(4429, ""), Close(4000, "rate_limit_exceeded")],
    "context_overflow": [Close(4400, "prompt is too long")],
}


@each(CLOSES, "close")
def test_a_close_code_has_a_kind_and_is_named(kind: ErrorKind, close: Close) -> None:
    error = as_provider_error(ConnectionClosedError(close, None))
    assert error.kind == kind
    assert (close.reason or str(close.code)) in error.message


def test_a_message_that_we_refuse_is_not_the_servers_close() -> None:
    error = ConnectionClosedError(None, Close(1009, "over size limit (64 bytes)"))
    assert as_provider_error(error).message == "a message is too long: over size limit (64 bytes)"


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, b'{"error": {"message": "Who?"}}', "auth", "Who? (HTTP 401)"),
        (429, b"Slow down.", "rate_limit", "Slow down (HTTP 429)"),
        (200, b"<html>", "protocol", "expected a WebSocket, but the server sent HTTP 200"),
        (302, b"", "invalid_request", "the server redirects to elsewhere"),
    ],
)
def test_a_refused_handshake_keeps_the_servers_message(
    status: int, body: bytes, kind: ErrorKind, message: str
) -> None:
    response = Response(status, "So", Headers({"Retry-After": "3"}), body)
    error = as_provider_error(InvalidStatus(response))
    assert (error.kind, error.message[: len(message)]) == (kind, message)
    assert error.retry_after == (3.0 if status in (401, 429) else None)
