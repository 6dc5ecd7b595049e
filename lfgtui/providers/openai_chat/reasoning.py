"""Reasoning of the chat wire: where it comes from, and what goes back.

DeepSeek refuses a tool loop whose assistant messages lack their
`reasoning_content` (https://api-docs.deepseek.com/guides/thinking_mode);
OpenRouter wants its `reasoning_details` back unchanged
(https://openrouter.ai/docs/use-cases/reasoning-tokens), LiteLLM the signed
`thinking_blocks` of Anthropic's models
(https://docs.litellm.ai/docs/reasoning_content). So the name of the field, the
details and the blocks are kept as items.
"""

from lfgtui.providers import lenient_json
from lfgtui.providers.lenient_json import JsonObject

_FIELDS = ("reasoning_content", "reasoning")
_LISTS = ("reasoning_details", "thinking_blocks")
_WORDS = ("text", "summary", "thinking")
_GROWING = (*_WORDS, "signature")


class ChatReasoning:
    """The reasoning of one response."""

    def __init__(self) -> None:
        self._field: str | None = None
        self._lists: dict[str, list[JsonObject]] = {name: [] for name in _LISTS}
        self.begun = False

    def take(self, delta: JsonObject, in_content: str) -> str:
        """Return the new words of a chunk.

        Fields repeat each other, so the first that has any counts; `in_content` is the
        reasoning in the chunk's content list.
        """
        words = [self._take_field(delta, name) for name in _FIELDS]
        for name in _LISTS:
            details = lenient_json.children(delta, name)
            for detail in details:
                _keep(self._lists[name], detail)
            words.append("".join(lenient_json.text(detail, *_WORDS) for detail in details))
        new = next(filter(None, (*words, in_content)), "")
        self.begun = self.begun or bool(new)
        return new

    def items(self) -> list[JsonObject]:
        """Return the items that go back to the model with the words."""
        items: list[JsonObject] = []
        if self._field is not None:
            items.append({"reasoning_field": self._field})
        items += [{name: details} for name, details in self._lists.items() if details]
        return items

    def _take_field(self, delta: JsonObject, name: str) -> str:
        words = lenient_json.text(delta, name)
        if words:
            self._field = self._field or name
        return words


def _keep(details: list[JsonObject], detail: JsonObject) -> None:
    last = details[-1] if details else None
    if last is None or _kind(last) != _kind(detail) or not _joins(last, detail):
        details.append(dict(detail))
        return
    for key, value in detail.items():
        if key in _GROWING and isinstance(value, str):
            last[key] = lenient_json.text(last, key) + value
        elif value is not None:
            last[key] = value


def _kind(detail: JsonObject) -> tuple[object, object]:
    return detail.get("type"), detail.get("index")


def _joins(last: JsonObject, detail: JsonObject) -> bool:
    """Tell whether a piece continues the one before it.

    Encrypted data comes whole, and a signed block is complete.
    """
    if "data" in last or "data" in detail or (last.get("signature") and "thinking" in last):
        return False
    return not (last.get("id") and detail.get("id") and last["id"] != detail["id"])
