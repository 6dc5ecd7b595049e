"""The prompts of an agent.

An agent keeps the conversation itself, so it gets only new messages. If it has no session, or has
lost it, it gets the whole conversation as text. Files are blocks of their own if the agent takes
them (agentclientprotocol.com/protocol/content), else part of the text: a mere link to a file might
not be read, or the file might have changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lfgtui.model.fold.conversation import Message, ModelTurn, Session, ToolResult, UserTurn
from lfgtui.model.ticket_keys.context import ContextFile
from lfgtui.providers.base import Request
from lfgtui.providers.lenient_json import JsonObject

_INTERRUPTED = (
    "You were interrupted while you worked on this. Look at what you have done so far, and go on"
    " from there; repeat nothing that is done. You were asked:\n\n{}"
)
_MEANWHILE = "Others went on with this meanwhile, without you:\n\n{}\n\nNow go on:\n\n{}"
_SO_FAR = "This conversation began without you. It went like this:\n\n{}\n\nNow go on:\n\n{}"


def prompt_of(
    request: Request, session: Session | None, *, embeds: bool = False
) -> list[JsonObject]:
    """Return the blocks of the prompt; `session` is the one that continues, or None.

    `embeds`: the agent takes the content of files as blocks of their own.
    """
    blocks: list[JsonObject] = []
    turns = [message for message in request.messages if isinstance(message, UserTurn)]
    if embeds and session is None and len(turns) == len(request.messages):
        folder = Path(request.workspace)
        blocks += [_resource(folder, file) for turn in turns for file in turn.files]
        request = replace(request, messages=[turn for turn in turns if not turn.files])
    return [*blocks, {"type": "text", "text": _text(request, session)}]


def _resource(folder: Path, file: ContextFile) -> JsonObject:
    uri, kind = (folder / file.path).as_uri(), "text/plain"
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": file.text}}


def _text(request: Request, session: Session | None) -> str:
    """Return the prompt as text, for an agent that knows the messages of its session, if any."""
    messages, known = request.messages, request.session
    later = messages[known.told if known else 0 :]
    # True if no other model has answered the ticket since then.
    is_own = all(isinstance(m, UserTurn) or (isinstance(m, ModelTurn) and m.is_cut) for m in later)
    is_interrupted = known is not None and known.is_interrupted and is_own
    if session is None:
        prompt = _with_past(_SO_FAR, messages, is_interrupted)  # the files show what was done
        return f"{request.system}\n\n{prompt}" if request.system else prompt
    if not is_own:
        return _with_past(_MEANWHILE, later)
    new = "\n\n".join(_prompts(later))
    if not is_interrupted:
        return new or "Go on."
    before = _INTERRUPTED.format(last_asked(request))
    return "\n\n".join(filter(None, (before, new)))


def last_asked(request: Request) -> str:
    """Return the last message that was sent to the agent's session; "" if it has none."""
    told = request.session.told if request.session else 0
    return next(reversed(_prompts(request.messages[:told])), "")


def _with_past(form: str, messages: Sequence[Message], is_interrupted: bool = False) -> str:
    """Return the unanswered messages; if there are earlier ones, the `form` has them, too."""
    past = [*messages]
    while past and isinstance(past[-1], UserTurn):
        past.pop()
    prompt = "\n\n".join(_prompts(messages[len(past) :])) or "Go on."
    if is_interrupted:
        prompt = _INTERRUPTED.format(prompt)
    return form.format("\n\n".join(_written(past)), prompt) if past else prompt


def _prompts(messages: Sequence[Message]) -> list[str]:
    """Return the texts of the user's messages."""
    return [message.text for message in messages if isinstance(message, UserTurn)]


def _written(messages: Sequence[Message]) -> Iterator[str]:
    """Yield the messages as text, each in a tag with its role."""
    for message in messages:
        match message:
            case UserTurn(text):
                yield f"<user>\n{text}\n</user>"
            case ToolResult(_, output):
                yield f"<tool_result>\n{output}\n</tool_result>"
            case ModelTurn():
                calls = [f"[called {call.name}]" for call in message.calls]
                yield "\n".join(["<assistant>", message.text, *calls, "</assistant>"])
