"""An agent's requests for permission, as events; and the person's answer, in the agent's form.

The person chooses one of the agent's options, and the id of that option goes back.
"""

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias, get_args
from uuid import uuid4

from msgspec import UNSET

from lfgtui.model.call_summary import members_of, members_summary
from lfgtui.model.events import ApprovalOption, ApprovalRequested, WireEvent
from lfgtui.providers import lenient_json, limits
from lfgtui.providers.acp.updates.calls import Call, Calls
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.text.terminal_safe import escaped

_Kind: TypeAlias = Literal["allow_once", "allow_always", "reject_once", "reject_always"]
_KINDS: Final[dict[str, _Kind]] = {kind: kind for kind in get_args(_Kind)}
_MOST_OPTIONS = 20  # of a question; further ones are left out
_WIDTH = 600
"""Characters of a summary; the middle of a longer one is left out."""

CANCELLED: Final[JsonObject] = {"outcome": {"outcome": "cancelled"}}
"""The answer to a question that was withdrawn."""


def question_of(calls: Calls, params: JsonObject) -> tuple[ApprovalRequested, list[WireEvent]]:
    """Return the request for approval, and the events about its call, to be emitted before it.

    Its path may contain symbolic links: resolve it before comparing. Version 2 of the protocol
    may ask about something other than a call; that is shown as one.
    """
    subject = lenient_json.child(params, "subject")
    record = lenient_json.child(params, "toolCall") or lenient_json.child(subject, "toolCall")
    if not record:
        call_id = lenient_json.text(subject, "toolCallId") or f"question-{uuid4()}"
        given = {key: subject[key] for key in ("command", "cwd") if key in subject}
        record = {"toolCallId": call_id, "name": "permission", "rawInput": given}
    title = lenient_json.text(params, "title")
    call, events = calls.asked({"title": title, **record} if title else record)
    changes = list(call.changes.values())
    is_one = len(changes) == 1
    diff = changes[0].diff if is_one else "".join(f"{one.path}\n{one.diff}" for one in changes)
    path = changes[0].path if is_one else "" if changes else call.path
    question = ApprovalRequested(
        call.call_id,
        call.name,
        _summary(call, diff),
        diff or UNSET,
        path if path.startswith("/") else UNSET,
        tuple(_options(params)),
    )
    return question, events


def chosen(option: ApprovalOption | None) -> JsonObject:
    """Return the result that names the chosen option; None: the question was withdrawn."""
    if option is None:
        return CANCELLED
    return {"outcome": {"outcome": "selected", "optionId": option.option_id}}


def _options(params: JsonObject) -> Iterator[ApprovalOption]:
    """Yield the options. One of an unknown kind counts as `allow_always`: a key that approves a
    single call never chooses it."""
    for option in lenient_json.children(params, "options")[:_MOST_OPTIONS]:
        option_id = lenient_json.text(option, "optionId")
        name = lenient_json.text(option, "name") or option_id
        kind = _KINDS.get(lenient_json.text(option, "kind"), "allow_always")
        if option_id:
            yield ApprovalOption(option_id, name[: limits.NAME_LENGTH], kind)


def _summary(call: Call, diff: str) -> str:
    """Return what the call would do, in one line: its command, its changes or its arguments."""
    given = call.arguments if isinstance(call.arguments, dict) else {}
    command = given.get("command")
    if isinstance(command, str):
        line = f"$ {escaped(command)}"
    elif diff:
        rows = diff.splitlines()
        added, removed = (sum(row.startswith(sign) for row in rows) for sign in "+-")
        line = f"{call.name} {escaped(call.path)} (+{added} −{removed})"
    else:
        line = f"{call.name} {members_summary(members_of(given), escaped)}".rstrip()
    if len(line) <= _WIDTH:
        return line
    half = _WIDTH // 2
    return f"{line[:half]} [... {len(line) - _WIDTH:,} characters ...] {line[-half:]}"
