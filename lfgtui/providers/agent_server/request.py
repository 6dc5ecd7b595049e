"""A `Request` as the JSON that an agent server is sent.

There is no common form for this side. Ours is what most small servers take:
`model`, `messages` with `role` and `content`, `system`, `stream`, and a
`run_id` that stays the same when a broken connection is taken up again. For
any other the config says a `body` of its own, in which `{prompt}` and the
like stand for what changes. The agent has tools of its own, so none are
offered.
"""

from collections.abc import Mapping

from lfgtui.model.conversation import UserTurn
from lfgtui.providers.base import Request
from lfgtui.providers.openai_chat.request import chat_messages

PLACEHOLDERS = ("model", "messages", "prompt", "system", "stream", "run_id")
"""Names that may stand in braces in a `body`."""


def request_body(
    request: Request, template: Mapping[str, object], run_id: str
) -> dict[str, object]:
    """Return the JSON body, `extra` included. `template` is the config's `body`, {} for ours."""
    prompts = [message.text for message in request.messages if isinstance(message, UserTurn)]
    values: dict[str, object] = {
        "model": request.model,
        "messages": chat_messages(None, request.messages),
        "prompt": prompts[-1] if prompts else "",
        "system": request.system,
        "stream": request.stream,
        "run_id": run_id,
    }
    form = template or {name: f"{{{name}}}" for name in PLACEHOLDERS if name != "prompt"}
    return _filled_object(form, values) | request.extra


def _filled(value: object, values: Mapping[str, object]) -> object:
    if isinstance(value, str):
        for name, content in values.items():
            if value == f"{{{name}}}":
                return content
            if isinstance(content, str):
                value = value.replace(f"{{{name}}}", content)
        return value
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return _filled_object(value, values) if isinstance(value, dict) else value


def _filled_object(form: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    filled = {name: _filled(value, values) for name, value in form.items()}
    return {name: value for name, value in filled.items() if value is not None}
