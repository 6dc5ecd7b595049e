"""OTLP/JSON: protobuf's JSON with ids in hexadecimal and enums as numbers.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. A line is one whole `TracesData`
(https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/), and the body of a request.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from lfgtui import __version__

Value: TypeAlias = str | bool | int | float | Sequence[str]
"""The value of an attribute."""

Kind: TypeAlias = Literal[1, 3]
"""`INTERNAL` or `CLIENT`."""

# Numbers of the protocol: SPAN_KIND_INTERNAL, SPAN_KIND_CLIENT, STATUS_CODE_ERROR.
INTERNAL: Kind = 1
CLIENT: Kind = 3
_ERROR = 2

_SERVICE = "lfg"


class Span(NamedTuple):
    """A span; `id` and `parent`, "" for none, are hexadecimal; times are seconds since the epoch.

    `error` is None if it did not fail, otherwise a description, which may be empty.
    """

    id: str
    parent: str
    name: str
    kind: Kind
    start: float
    end: float
    attributes: Mapping[str, Value]
    error: str | None = None


def encode(trace: str, spans: Sequence[Span]) -> bytes:
    """Return spans of a trace as one line of JSON, without a line break."""
    scope = {"name": "lfgtui", "version": __version__}
    resource = _attributes({"service.name": _SERVICE, "service.version": __version__})
    scoped = {"scope": scope, "spans": [_span(trace, span) for span in spans]}
    whole = {"resource": {"attributes": resource}, "scopeSpans": [scoped]}
    return msgspec.json.encode({"resourceSpans": [whole]})


def _span(trace: str, span: Span) -> dict[str, object]:
    made: dict[str, object] = {"traceId": trace, "spanId": span.id}
    if span.parent:
        made["parentSpanId"] = span.parent
    made |= {
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": _nanoseconds(span.start),
        "endTimeUnixNano": _nanoseconds(max(span.start, span.end)),
        "attributes": _attributes(span.attributes),
    }
    if span.error is not None:
        made["status"] = {"code": _ERROR, **({"message": span.error} if span.error else {})}
    return made


def _nanoseconds(seconds: float) -> str:
    """Return a time as protobuf's JSON writes 64-bit numbers; the history has microseconds."""
    return str(round(seconds * 1e6) * 1000)


def _attributes(attributes: Mapping[str, Value]) -> list[dict[str, object]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Value) -> dict[str, object]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"arrayValue": {"values": [{"stringValue": item} for item in value]}}
