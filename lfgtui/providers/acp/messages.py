"""JSON-RPC 2.0 messages from lines and to lines, without I/O (jsonrpc.org/specification).

Reading never fails: a line that is not a message is `Unreadable`, and only needed fields of a
message must have the right type. A request with a wrong id or form is `Invalid`, to be refused.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import msgspec

from lfgtui.errors import LfgError, ProviderError
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.lenient_json import JsonObject

# Error codes of JSON-RPC; the last two are of ACP and of lfg.
INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32600, -32601, -32602, -32603
REQUEST_CANCELLED, TOO_MANY_REQUESTS = -32800, -32000

JsonId: TypeAlias = str
"""The id of a request as JSON text: `"1"` and `1` differ."""

_EXCERPT = 500  # bytes of an unreadable line
_LONGEST_MESSAGE = 2_000  # characters of an error's message


class RpcError(LfgError):
    """A request that was refused, by either side."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class Notification:
    """A message that needs no answer."""

    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Call:
    """A request of the agent."""

    id: JsonId
    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Invalid:
    """A request of the agent that cannot be read; `error` is the answer to it."""

    id: JsonId
    error: RpcError


@dataclass(frozen=True, slots=True)
class Reply:
    """A response to a request of ours: its result, or its error if it was refused."""

    id: JsonId
    result: object
    error: RpcError | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line, or a part of a batch, that is not a message; `text` is its beginning."""

    why: str
    text: str


Message: TypeAlias = Notification | Call | Invalid | Reply | Unreadable


def read(line: bytes) -> Iterator[Message]:
    """Yield the messages of a line: one, several of a batch, none of a blank line.

    Raises `ProviderError` ("protocol") for a line with too many values.
    """
    if not line.strip():
        return
    try:
        limits.refuse_too_many_values(line)
        value = lenient_json.parse(line)
    except ProviderError:
        raise ProviderError("protocol", "a message of the agent has too many values") from None
    except ValueError:
        yield unreadable("invalid JSON", line)
        return
    parts = value if isinstance(value, list) and value else [value]
    for part in parts:
        yield _message(part, line)


def unreadable(why: str, line: bytes) -> Unreadable:
    """Return the stand-in for a line that is not a message."""
    return Unreadable(why, line[:_EXCERPT].decode("utf-8", "replace"))


def id_of(record: JsonObject, key: str) -> JsonId | None:
    """Return an id as JSON text; None if there is none, or it has a wrong type."""
    match record.get(key, False):
        case bool():
            return None
        case None | str() | int() as its_id:
            return json.dumps(its_id)
        case float(number) if isfinite(number):
            return json.dumps(number)
        case _:
            return None


def request(number: int, method: str, params: JsonObject) -> bytes:
    """Return the line of a request; its id comes back as `str(number)`."""
    return _line({"id": number, "method": method, "params": params})


def notification(method: str, params: JsonObject) -> bytes:
    """Return the line of a notification."""
    return _line({"method": method, "params": params})


def result(its_id: JsonId, value: object) -> bytes:
    """Return the line of a response to the agent."""
    return _reply(its_id, {"result": value})


def refusal(its_id: JsonId, error: RpcError) -> bytes:
    """Return the line of an error response to the agent."""
    body: JsonObject = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return _reply(its_id, {"error": body})


def _message(value: object, line: bytes) -> Message:
    """Return a value of a line, or of a batch in it, as a message."""
    record = lenient_json.as_object(value)
    if record is None:
        return unreadable("an invalid message", line)
    its_id = id_of(record, "id")
    if "method" not in record:
        if its_id is None:
            return unreadable("neither a method nor an id", line)
        return _reply_in(its_id, record)
    method, params = record["method"], record.get("params")
    if params is None:
        params = {}
    wrong = None
    if not isinstance(method, str):
        wrong = RpcError(INVALID_REQUEST, '"method" is no string')
    elif "id" in record and its_id is None:
        wrong = RpcError(INVALID_REQUEST, '"id" is neither a string nor a number nor null')
    elif not isinstance(params, dict):
        wrong = RpcError(INVALID_PARAMS, '"params" is no object')
    else:
        return Notification(method, params) if its_id is None else Call(its_id, method, params)
    return Invalid(its_id or "null", wrong) if "id" in record else unreadable(wrong.message, line)


def _reply_in(its_id: JsonId, record: JsonObject) -> Reply:
    error = record.get("error")
    if error is None and "result" in record:
        return Reply(its_id, record["result"], None)
    body = lenient_json.as_object(error) or {}
    code = lenient_json.number(body, "code") or INTERNAL_ERROR
    message = lenient_json.text(body, "message") or "refused without a reason"
    return Reply(its_id, None, RpcError(code, message[:_LONGEST_MESSAGE], body.get("data")))


def _reply(its_id: JsonId, body: JsonObject) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,%b' % (its_id.encode(), msgspec.json.encode(body)[1:])


def _line(body: JsonObject) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", **body})
