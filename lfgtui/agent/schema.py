"""The JSON Schema of a ticket's answer.

It goes to the model with the prompt. An answer that does not fit goes back once, with a message
that says where and why; if the next one does not fit either, the ticket fails. The conversation
shows that an answer went back, so a resumed process knows it, too.
"""

import re
from collections.abc import Sequence

import msgspec

from lfgtui.model.fold.conversation import Message, UserTurn
from lfgtui.model.tickets import Ticket
from lfgtui.text.json_schema import JsonSchema

_LONGEST = 1_000_000
"""Most characters of an answer that is checked; a longer one does not fit."""

_INSTRUCTION = (
    "{}\n\nYour last answer must be only JSON, bare or in one fenced block,"
    " that fits this JSON Schema:\n\n```json\n{}\n```"
)
_AGAIN = "Your answer does not match the required JSON Schema: "  # `was_asked_again` looks for it
_HOW = ". Answer again, with the corrected JSON alone."

_FENCED = re.compile(r"^```[^\n`]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


def prompt_of(ticket: Ticket) -> str:
    """Return the prompt, with the schema that the answer must fit."""
    if ticket.schema is None:
        return ticket.prompt
    schema = msgspec.json.format(msgspec.json.encode(ticket.schema)).decode()
    return _INSTRUCTION.format(ticket.prompt, schema)


def answer_of(ticket: Ticket, answer: str) -> str:
    """Return the part of an answer that other tickets get: its JSON alone if there is a schema."""
    return answer if ticket.schema is None else _json_text(answer)


def misfit(ticket: Ticket, answer: str) -> str:
    """Return where and why the answer does not fit the ticket's schema; "" if it does."""
    if ticket.schema is None:
        return ""
    if len(answer) > _LONGEST:
        return f"it has more than {_LONGEST:,} characters"
    text = _json_text(answer)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"not valid JSON: {str(error).removeprefix('JSON is malformed: ')}"
    return "; ".join(JsonSchema(ticket.schema).misfits(value, len(text)))


def was_asked_again(messages: Sequence[Message]) -> bool:
    """Return True if an answer went back since the prompt or the person's last message."""
    for message in reversed(messages):
        if isinstance(message, UserTurn):
            if message.text.startswith(_AGAIN):
                return True
            if message.is_said:
                break
    return False


def again(why: str) -> str:
    """Return the message with which an answer goes back."""
    return f"{_AGAIN}{why}{_HOW}"


def _json_text(answer: str) -> str:
    """Return the content of the answer's only fenced block, or else all of the answer."""
    blocks = _FENCED.findall(answer[:_LONGEST])
    return blocks[0].strip() if len(blocks) == 1 else answer.strip()
