"""A request in no wire's terms, its conversation so far, and an error in answer to one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from lfgtui.simulator.ids import CallWire, IdFactory

CHARACTERS_PER_TOKEN = 4
UNKNOWN_MODEL = "no-such-model"
"""The one model name that is answered 404; any other plays a scenario or the generic answer."""

# What tools, and commands of the demo, write when they fail; see `tools.command`.
_FAILED = re.compile(
    r"\Aerror\b|\Athere is no |\A(?:read|list|search|write|edit|run)_(?:files?|command): "
    r"|^FAILED \("
    r"|^\W?(?:killed by \w+, )?exit(?:ed)?(?: with)? (?:code|status):? -?[1-9]",
    re.IGNORECASE | re.MULTILINE,
)

RefusalKind = Literal["invalid", "json", "auth", "not_found", "rate_limit", "overloaded", "server"]


class ToolResult(NamedTuple):
    """The result of one tool call. `is_error` is the wire's own flag."""

    output: str
    is_error: bool = False


class Entry(NamedTuple):
    """A message, or an item where a message is several. `calls` are ids."""

    role: str
    text: str
    calls: Sequence[str] = ()
    results: Sequence[ToolResult] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation up to a request.

    `start` is the entry that began the running loop: the last plain user message, whose text is
    the `prompt`. `digest` is of all texts up to it (the texts alone: where a client marks what to
    cache moves from turn to turn). `turns` are the entries with which each model response since
    then began, `results` the tool results after the last of them. `is_follow_up` is True if a
    response came before the prompt.
    """

    start: int
    prompt: str
    digest: str
    turns: Sequence[int]
    results: Sequence[ToolResult]
    is_follow_up: bool = False

    @property
    def has_failed(self) -> bool | None:
        """True if the flag or the output of one of the results says so; None without results."""
        if not self.results:
            return None
        return any(result.is_error or _FAILED.search(result.output) for result in self.results)


def read_conversation(
    entries: Sequence[Entry], wire: CallWire, ids: IdFactory, *parts: str
) -> Conversation:
    """Return the conversation; `parts` belong to its digest too."""
    start = _last_plain_user(entries)
    turns = _responses(entries, start, wire, ids)
    latest = entries[turns[-1] :] if turns else ()
    texts = (f"{entry.role}: {entry.text}" for entry in entries[: start + 1])
    return Conversation(
        start,
        entries[start].text,
        ids.digest(*parts, *texts),
        turns,
        [result for entry in latest for result in entry.results],
        any(entry.role == "assistant" for entry in entries[:start]),
    )


def _last_plain_user(entries: Sequence[Entry]) -> int:
    """Return the index of the last user message not beside or right after tool results."""
    plain = (
        index
        for index, (before, entry) in enumerate(pairwise(entries), 1)
        if entry.role == "user" and not entry.results and not before.results
    )
    return max(plain, default=0)


def _responses(
    entries: Sequence[Entry], start: int, wire: CallWire, ids: IdFactory
) -> Sequence[int]:
    """Return where each response begins.

    As clients may put each result right after its call, a response is recognised
    by the nonce in its call ids first and by its neighbours second.
    """
    begins: list[int] = []
    nonce = role = ""
    for index, entry in enumerate(entries):
        if index > start and entry.role == "assistant":
            read = (ids.read_call(wire, call) for call in entry.calls)
            issued = next((call.nonce for call in read if call is not None), "")
            if role != "assistant" and (not issued or issued != nonce):
                begins.append(index)
            nonce = issued or nonce
        role = entry.role
    return begins


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request. `max_tokens` is None where there is no limit."""

    model: str
    stream: bool
    conversation: Conversation
    max_tokens: int | None
    reasoning: bool
    tools: frozenset[str]
    input_tokens: int
    cached_tokens: int
    written_tokens: int = 0


@dataclass(eq=False)
class Refused(Exception):  # noqa: N818 - an answer to the client, not a fault of ours
    """An error in answer to a request. Each wire writes it in its own form.

    Without a message it has the wire's usual one for its kind. `param` and
    `code` exist on OpenAI's wires only; `retry_after` is in seconds.
    """

    kind: RefusalKind
    message: str = ""
    param: str | None = None
    code: str | None = None
    retry_after: float | None = None


def tokens(characters: int) -> int:
    """Estimate how many tokens that many characters are."""
    return -(-characters // CHARACTERS_PER_TOKEN)
