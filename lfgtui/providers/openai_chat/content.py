"""The content and the reasoning of the chat wire, whatever their form.

Content is a string, mostly. Mistral also sends lists of parts, with thinking and
references among them; some servers send the object of a structured answer without
making it a string; audio models send a transcript in `audio`.

DeepSeek refuses a tool loop whose assistant messages lack their
`reasoning_content` (https://api-docs.deepseek.com/guides/thinking_mode);
OpenRouter wants its `reasoning_details` back unchanged
(https://openrouter.ai/docs/use-cases/reasoning-tokens), LiteLLM the signed
`thinking_blocks` of Anthropic's models
(https://docs.litellm.ai/docs/reasoning_content). So the name of the field, the
details and the blocks are kept as items.
"""

from dataclasses import dataclass, field

from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject, UnreadableError

_FIELDS = ("reasoning_content", "reasoning")  # of a delta, with reasoning as text
_LISTS = ("reasoning_details", "thinking_blocks")  # of a delta, with lists of objects
_WORDS = ("text", "summary", "thinking")  # of such an object, with its text
_GROWING = (*_WORDS, "signature")  # of such an object, whose pieces are joined


@dataclass(slots=True)
class Content:
    """The parts of a content, by kind."""

    text: str = ""
    reasoning: str = ""
    sources: list[JsonObject] = field(default_factory=list)

    def add(self, content: object) -> None:
        """Add a content, or a part of one, of any form; raise `UnreadableError`."""
        match content:
            case None:
                pass
            case str():
                self.text += content
            case list():
                for part in content:
                    self._add_part(part)
            case dict():
                self.text += lenient_json.text(content, "text") or lenient_json.compact(content)
            case _:
                raise UnreadableError("the content is not text")

    def _add_part(self, part: object) -> None:
        """Add a part of a list; raise `UnreadableError`."""
        match part:
            case str():
                self.text += part
            case {"type": "thinking", "thinking": thinking}:
                inner = Content()
                inner.add(thinking)
                self.reasoning += inner.text
            case {"type": "reference", "reference_ids": list(numbers)}:
                self.sources += [{"title": f"reference {number}"} for number in numbers]
            case dict() if part.get("type") == "tool_reference":
                self.sources.append(part)
            case dict():
                self.text += lenient_json.text(part, "text", "refusal")
            case _:
                raise UnreadableError("a part of the content is not text")


def read_content(delta: JsonObject) -> Content:
    """Read the content of a delta or a whole message."""
    content = Content()
    content.add(delta.get("content"))
    content.text += lenient_json.text(lenient_json.child(delta, "audio"), "transcript")
    return content


class ChatReasoning:
    """The reasoning of one response. `begun` once any of it has come."""

    def __init__(self) -> None:
        self.begun = False
        self._field: str | None = None
        self._lists: dict[str, list[JsonObject]] = {name: [] for name in _LISTS}

    def take(self, delta: JsonObject, in_content: str = "") -> str:
        """Return the reasoning in a delta, which is always new.

        Fields repeat each other, so the first that is not empty counts; `in_content` is
        the reasoning in the delta's content.
        """
        new = self.take_fields(*(lenient_json.text(delta, name) for name in _FIELDS))
        for name, kept in self._lists.items():
            details = lenient_json.children(delta, name)
            for detail in details:
                _keep(kept, detail)
            new = new or "".join(lenient_json.text(detail, *_WORDS) for detail in details)
        new = new or in_content
        self.begun = self.begun or bool(new)
        return new

    def take_fields(self, *fields: str | None) -> str:
        """Return the first of the values of `_FIELDS` that is not empty; note the field's name."""
        new = next(filter(None, fields), "")
        if new and self._field is None:
            self._field = _FIELDS[fields.index(new)]
        self.begun = self.begun or bool(new)
        return new

    def items(self) -> list[JsonObject]:
        """Return the items that later requests send back with the reasoning."""
        named: list[JsonObject] = [{"reasoning_field": self._field}] if self._field else []
        return named + [{name: details} for name, details in self._lists.items() if details]


def _keep(details: list[JsonObject], detail: JsonObject) -> None:
    """Add a detail, or join it to the last one that it is a piece of."""
    if not (details and _joins(details[-1], detail)):
        details.append(dict(detail))
        return
    last = details[-1]
    for key, value in detail.items():
        if key in _GROWING and isinstance(value, str):
            last[key] = lenient_json.text(last, key) + value
        elif value is not None:
            last[key] = value


def _joins(last: JsonObject, detail: JsonObject) -> bool:
    """Return True if a detail is a piece of the one before it.

    Encrypted data comes whole, and a signed block is complete.
    """
    if any(last.get(key) != detail.get(key) for key in ("type", "index")):
        return False
    if "data" in last or "data" in detail or (last.get("signature") and "thinking" in last):
        return False
    return not (last.get("id") and detail.get("id") and last["id"] != detail["id"])
