"""The content of a chunk or message of the chat wire, whatever its form.

A string, mostly. Mistral sends lists of parts, also in turn with strings, with
thinking and references among them; some servers send the object of a
structured answer bare; audio models send a transcript in `audio`.
"""

from dataclasses import dataclass, field

from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject, UnreadableError


@dataclass(slots=True)
class Content:
    """The parts of a content, by kind."""

    text: str = ""
    reasoning: str = ""
    sources: list[JsonObject] = field(default_factory=list)

    def add(self, content: object) -> None:
        """Add a content, or a part of one, of any form; raise `UnreadableError`."""
        match content:
            case str():
                self.text += content
            case list():
                for part in content:
                    self._add_part(part)
            case dict():
                self.text += lenient_json.text(content, "text") or lenient_json.compact(content)
            case None:
                pass
            case _:
                raise UnreadableError("the content is not text")

    def _add_part(self, part: object) -> None:
        record = lenient_json.as_object(part)
        if record is None:
            if not isinstance(part, str):
                raise UnreadableError("a part of the content is not text")
            self.text += part
            return
        match lenient_json.text(record, "type"):
            case "thinking":
                inner = Content()
                inner.add(record.get("thinking"))
                self.reasoning += inner.text
            case "tool_reference":
                self.sources.append(record)
            case "reference":
                ids = record.get("reference_ids")
                numbers = ids if isinstance(ids, list) else []
                self.sources += [{"title": f"reference {number}"} for number in numbers]
            case _:
                self.text += lenient_json.text(record, "text", "refusal")


def read_content(delta: JsonObject) -> Content:
    """Read the content of a delta or a whole message."""
    content = Content()
    content.add(delta.get("content"))
    content.text += lenient_json.text(lenient_json.child(delta, "audio"), "transcript")
    return content
