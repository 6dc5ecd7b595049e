"""Reasoning of the chat wire: where it comes from, and what goes back.

DeepSeek refuses a tool loop whose assistant messages lack their
`reasoning_content` (https://api-docs.deepseek.com/guides/thinking_mode);
OpenRouter wants its `reasoning_details` back unchanged
(https://openrouter.ai/docs/use-cases/reasoning-tokens). So the name of the
field, and the details, are kept as items.
"""

from lfgtui.providers import loose_json
from lfgtui.providers.loose_json import JsonObject

_FIELDS = ("reasoning_content", "reasoning")
_GROWING = ("text", "summary")


class ChatReasoning:
    """The reasoning of one response."""

    def __init__(self) -> None:
        self._field: str | None = None
        self._details: list[JsonObject] = []

    def take(self, delta: JsonObject, thought: str) -> str:
        """The new words in a chunk. Fields repeat each other, so the first that has any
        counts; `thought` is what the chunk's content list held."""
        details = loose_json.children(delta, "reasoning_details")
        for detail in details:
            self._keep(detail)
        for name in _FIELDS:
            if said := loose_json.text(delta, name):
                self._field = self._field or name
                return said
        return "".join(_words(detail) for detail in details) or thought

    def items(self) -> list[JsonObject]:
        """What goes back to the model with the words."""
        items: list[JsonObject] = []
        if self._field is not None:
            items.append({"reasoning_field": self._field})
        if self._details:
            items.append({"reasoning_details": self._details})
        return items

    def _keep(self, detail: JsonObject) -> None:
        last = self._details[-1] if self._details else None
        if last is None or _kind(last) != _kind(detail) or not _joins(last, detail):
            self._details.append(dict(detail))
            return
        for key, value in detail.items():
            if key in _GROWING and isinstance(value, str):
                last[key] = loose_json.text(last, key) + value
            elif value is not None:
                last[key] = value


def split_content(content: object) -> tuple[str, str]:
    """A chunk's content as (visible text, thinking): a string, or a list of parts."""
    if isinstance(content, str):
        return content, ""
    said: list[str] = []
    thought: list[str] = []
    for part in content if isinstance(content, list) else ():
        record = loose_json.as_object(part)
        if record is None:
            said.append(part if isinstance(part, str) else "")
        elif loose_json.text(record, "type") == "thinking":
            inner = record.get("thinking")
            thought.append(inner if isinstance(inner, str) else split_content(inner)[0])
        else:
            said.append(loose_json.text(record, "text"))
    return "".join(said), "".join(thought)


def _words(detail: JsonObject) -> str:
    return loose_json.text(detail, "text") or loose_json.text(detail, "summary")


def _kind(detail: JsonObject) -> tuple[object, object]:
    return detail.get("type"), detail.get("index")


def _joins(last: JsonObject, detail: JsonObject) -> bool:
    """Whether the piece continues the one before it; encrypted data comes whole."""
    if "data" in last or "data" in detail:
        return False
    return not (last.get("id") and detail.get("id") and last["id"] != detail["id"])
