"""Checks the shape of requests by the types that the SDKs have for their parameters."""

from collections.abc import Sequence
from functools import cache
from pkgutil import resolve_name
from threading import Lock
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails, SchemaValidator, ValidationError

_one_at_a_time = Lock()
_TAGS = ("type", "role")
"""Fields by which the members of a union in the SDKs' types differ."""


class Fault(NamedTuple):
    """The clearest mistake in a request's shape; `kind` is pydantic's, such as "missing"."""

    path: Sequence[str | int]
    kind: str
    message: str


def load_shape(params: str) -> SchemaValidator:
    """Return the validator of an SDK's type, named as `module:type`.

    It is imported by name, as pydantic is, since that takes up to a second of CPU: only a
    process that checks requests needs it. Call it in a thread. One thread at a time: two
    that import modules of the same SDK could see them half initialised.
    """
    with _one_at_a_time:
        return _load(params)


@cache
def _load(params: str) -> SchemaValidator:
    type_adapter = resolve_name("pydantic:TypeAdapter")
    return SchemaValidator(_with_lists(type_adapter(resolve_name(params)).core_schema))


def find_fault(shape: SchemaValidator, body: object) -> Fault | None:
    """Return what is wrong with a body; None if it has the shape."""
    try:
        shape.validate_python(body, strict=True)
    except ValidationError as error:
        return _clearest(error.errors(include_url=False), body)
    return None


def _with_lists(schema: Any) -> Any:  # Any: pydantic's schemas are dicts of every kind
    """Return the schema with lists instead of iterables, whose items pydantic would not check."""
    if isinstance(schema, dict):
        lists = {"type": "list"} if schema.get("type") == "generator" else {}
        return {key: _with_lists(value) for key, value in schema.items()} | lists
    if isinstance(schema, list | tuple):
        return type(schema)(map(_with_lists, schema))
    return schema


def _clearest(errors: Sequence[ErrorDetails], body: object) -> Fault:
    """Return the deepest error, leaving out those of union members that the body's tag excludes.

    pydantic reports the errors of all members of a union.
    """
    tags = {error["loc"] for error in errors if error["loc"] and error["loc"][-1] in _TAGS}
    others = {loc[:-1] for loc in tags}
    likely = [
        error
        for error in errors
        if not any(error["loc"][:n] in others for n in range(len(error["loc"]) - 1))
        and (error["loc"] in tags or error["loc"][:-1] not in others)
    ]
    error = max(likely, key=lambda one: (len(_path(one, body)), one["loc"] not in tags))
    path, message = _path(error, body), error["msg"]
    if error["type"] == "literal_error":
        same = [e for e in errors if e["type"] == error["type"] and _path(e, body) == path]
        message = (
            f"Input should be {' or '.join(dict.fromkeys(e['ctx']['expected'] for e in same))}"
        )
    return Fault(path, error["type"], message)


def _path(error: ErrorDetails, body: object) -> Sequence[str | int]:
    """Return an error's place in the body, without the names of union members."""
    path: list[str | int] = []
    for part in error["loc"]:
        if isinstance(body, dict) and part in body:  # noqa: SIM114  # for the types
            body = body[part]
        elif isinstance(body, list) and isinstance(part, int):
            body = body[part]
        elif error["type"] != "missing" or part is not error["loc"][-1]:
            continue
        path.append(part)
    return path
