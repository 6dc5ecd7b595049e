"""The content of a chunk or message of the chat wire, whatever its form.

A string, mostly. Mistral sends lists of parts, also in turn with strings, with
thinking and references among them; some servers send the object of a
structured answer bare; audio models say in `audio` what they speak.
"""

from dataclasses import dataclass, field

from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject, UnreadableError


@dataclass(slots=True)
class Content:
    """What a content says, taken apart."""

    text: str = ""
    thought: str = ""
    sources: list[JsonObject] = field(default_factory=list)


def read_content(delta: JsonObject) -> Content:
    """The content of a delta or a whole message."""
    found = Content()
    _read(delta.get("content"), found)
    found.text += lenient_json.text(lenient_json.child(delta, "audio"), "transcript")
    return found


def _read(content: object, found: Content) -> None:
    match content:
        case str():
            found.text += content
        case list():
            for part in content:
                _read_part(part, found)
        case dict():
            found.text += lenient_json.text(content, "text") or lenient_json.compact(content)
        case None:
            pass
        case _:
            raise UnreadableError("the content is not text")


def _read_part(part: object, found: Content) -> None:
    record = lenient_json.as_object(part)
    if record is None:
        if not isinstance(part, str):
            raise UnreadableError("a part of the content is not text")
        found.text += part
        return
    match lenient_json.text(record, "type"):
        case "thinking":
            inner = Content()
            _read(record.get("thinking"), inner)
            found.thought += inner.text
        case "tool_reference":
            found.sources.append(record)
        case "reference":
            ids = record.get("reference_ids")
            for number in ids if isinstance(ids, list) else ():
                found.sources.append({"title": f"reference {number}"})
        case _:
            found.text += lenient_json.text(record, "text") or lenient_json.text(record, "refusal")
