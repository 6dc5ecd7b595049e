"""The texts that an agent is prompted with.

It keeps the conversation itself, so it gets what is new. An agent that has no session of it, or
has lost it, gets all of it as text.
"""

from collections.abc import Iterator, Sequence

from lfgtui.model.conversation import Message, ModelTurn, Session, ToolResult, UserTurn
from lfgtui.providers.base import Request

_INTERRUPTED = (
    "You were interrupted while you worked on this. Look at what you have done so far, and go on"
    " from there; repeat nothing that is done. You were asked:\n\n{}"
)
_SO_FAR = "This conversation began without you. It went like this:\n\n{}\n\nNow go on:\n\n{}"


def prompt_of(request: Request, session: Session | None) -> str:
    """Return the prompt; `session` is the one that the agent goes on in, None in a new one."""
    if session is None:
        return _whole(request)
    new = "\n\n".join(_asked(request.messages[session.told :]))
    if not session.is_interrupted:
        return new or "Go on."
    asked = _asked(request.messages[: session.told])
    before = _INTERRUPTED.format(asked[-1] if asked else "")
    return "\n\n".join(filter(None, (before, new)))


def _whole(request: Request) -> str:
    messages = request.messages
    last = next((n for n, m in reversed([*enumerate(messages)]) if isinstance(m, ModelTurn)), -1)
    prompt = "\n\n".join(_asked(messages[last + 1 :])) or "Go on."
    if request.session is not None and request.session.is_interrupted:
        prompt = _INTERRUPTED.format(prompt)  # which its files still show
    if last >= 0:
        prompt = _SO_FAR.format("\n\n".join(_told(messages[: last + 1])), prompt)
    return f"{request.system}\n\n{prompt}" if request.system else prompt


def _asked(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages if isinstance(message, UserTurn)]


def _told(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        match message:
            case UserTurn(text):
                yield f"<user>\n{text}\n</user>"
            case ToolResult(_, output):
                yield f"<tool_result>\n{output}\n</tool_result>"
            case ModelTurn():
                calls = [f"[called {call.name}]" for call in message.calls]
                yield "\n".join(["<assistant>", message.text, *calls, "</assistant>"])
