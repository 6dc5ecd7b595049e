"""The parts of a wire that the server uses, and what the three wires share.

The shape of requests is checked by the SDKs' own types of their parameters.
"""

from collections.abc import Mapping
from functools import cache
from pkgutil import resolve_name
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec
from pydantic_core import ErrorDetails, SchemaValidator, ValidationError

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Reply, WireStep
from lfgtui.simulator.request import Refused, Request, tokens

Json: TypeAlias = dict[str, Any]
"""JSON in the shape that the SDK's types have checked, or that a writer gives it."""

_encoder = msgspec.json.Encoder()


_TAGS = ("type", "role")
"""Fields that tell the members of the SDKs' unions apart."""


class Fault(NamedTuple):
    """The clearest mistake in a request's shape; `kind` as pydantic has it, "missing" say."""

    path: tuple[str | int, ...]
    kind: str
    message: str


_one_at_a_time = Lock()


def load_shape(params: str) -> SchemaValidator:
    """Return the validator of an SDK's type, named as `module:type`.

    It is found by name, as pydantic is, since their import takes up to a second of CPU:
    only the process that checks a wire's requests pays for it, and in a thread. One
    thread at a time: two that import the modules of one SDK meet them half made.
    """
    with _one_at_a_time:
        return _load(params)


@cache
def _load(params: str) -> SchemaValidator:
    type_adapter = resolve_name("pydantic:TypeAdapter")
    return SchemaValidator(_with_lists(type_adapter(resolve_name(params)).core_schema))


def find_fault(shape: SchemaValidator, body: object) -> Fault | None:
    """Return what is wrong with a body, None if it has the shape."""
    try:
        shape.validate_python(body, strict=True)
    except ValidationError as error:
        return _clearest(error.errors(include_url=False), body)
    return None


def _with_lists(schema: Any) -> Any:  # Any: pydantic's schemas are dicts of every kind
    """Return the schema with lists for iterables, whose items pydantic would not check."""
    if isinstance(schema, dict):
        lists = {"type": "list"} if schema.get("type") == "generator" else {}
        return {key: _with_lists(value) for key, value in schema.items()} | lists
    if isinstance(schema, list | tuple):
        return type(schema)(map(_with_lists, schema))
    return schema


def _clearest(errors: list[ErrorDetails], body: object) -> Fault:
    """Pick the deepest error in the member of each union that the body means by its tag."""
    tags = [error["loc"] for error in errors if error["loc"] and error["loc"][-1] in _TAGS]
    others = {loc[:-1] for loc in tags}
    likely: dict[tuple[int, bool], ErrorDetails] = {}
    for error in errors:
        loc = error["loc"]
        is_other = loc[:-1] in others
        if any(loc[:n] in others for n in range(len(loc) - 1)) or (is_other and loc not in tags):
            continue
        likely.setdefault((len(_path(error, body)), not is_other), error)
    error = likely[max(likely)]
    path, message = _path(error, body), error["msg"]
    if error["type"] == "literal_error":
        same = [e for e in errors if e["type"] == error["type"] and _path(e, body) == path]
        allowed = dict.fromkeys(e["ctx"]["expected"] for e in same)
        message = f"Input should be {' or '.join(allowed)}"
    return Fault(path, error["type"], message)


def _path(error: ErrorDetails, body: object) -> tuple[str | int, ...]:
    """Return an error's place in the body, without the names of unions' members."""
    path: list[str | int] = []
    for part in error["loc"]:
        if isinstance(body, dict) and part in body:  # noqa: SIM114  # for the types
            body = body[part]
        elif isinstance(body, list) and isinstance(part, int):
            body = body[part]
        elif error["type"] != "missing" or part is not error["loc"][-1]:
            continue
        path.append(part)
    return tuple(path)


class Writer(Protocol):
    """Writes one reply: as a stream (`open`, `write`..., `close`) or whole (`body`)."""

    def open(self) -> bytes:
        """Return what comes before the first segment."""
        ...

    def write(self, step: WireStep) -> bytes:
        """Return the records of one step."""
        ...

    def close(self) -> bytes:
        """Return what comes after the last segment."""
        ...

    def broken(self) -> bytes:
        """Return an error inside the 200, in place of the rest."""
        ...

    def body(self) -> bytes:
        """Return the reply to a request that does not stream."""
        ...


class Wire(Protocol):
    """One API. `params` names the SDK's type of its requests, `id_header` the header of an id."""

    path: str
    params: str
    id_header: str

    def authorise(self, headers: Mapping[str, str], key: str) -> None:
        """Raise `Refused` unless the request carries the key."""
        ...

    def read(self, body: Json, headers: Mapping[str, str], ids: IdFactory) -> Request:
        """Check a body of the right shape as the service does; raises `Refused`."""
        ...

    def writer(self, reply: Reply, ids: IdFactory, body: Json) -> Writer:
        """Return a writer of the reply to the body."""
        ...

    def misshapen(self, fault: Fault) -> Refused:
        """Return the error for a body of the wrong shape."""
        ...

    def refuse(self, refused: Refused, request_id: str) -> tuple[int, Json]:
        """Return the status and the body of an error."""
        ...


def dump(value: object) -> bytes:
    """Return compact JSON, characters as they are."""
    return _encoder.encode(value)


def token_count(value: object) -> int:
    """Estimate how many tokens a value is as JSON."""
    return tokens(len(dump(value)))


def prompt_tokens(body: Json) -> int:
    """Estimate how many tokens of a request are its prompt: instructions, tools, messages."""
    keys = ("system", "instructions", "tools", "messages", "input")
    return token_count([body.get(key) for key in keys])


def text_of(content: object) -> str:
    """Return the text of a content: a string, or parts of which those with a text count."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content)
    return content if isinstance(content, str) else ""


def record(data: Json, event: str | None = None) -> bytes:
    """Return one SSE record."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + dump(data) + b"\n\n"


def bearer(headers: Mapping[str, str]) -> str:
    """Return the key of an `Authorization: Bearer` header, "" where there is none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
