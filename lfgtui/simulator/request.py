"""A request as all wires pass it on: `Request`, with its `Conversation`; or `Refused`, an error."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from lfgtui.simulator.ids import CallWire, IdFactory

CHARACTERS_PER_TOKEN = 4  # an estimate
UNKNOWN_MODEL = "no-such-model"
"""The only model name that is refused (404); any other plays a scenario or the generic answer."""

# How the output of a failed tool, or command of the demo, begins or has a line such as
# `FAILED (failures=1)` or `exit code 1`; see `tools.command`.
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
    """A message or, on a wire whose messages consist of items, an item. `calls` are call ids."""

    role: str
    text: str
    calls: Sequence[str] = ()
    results: Sequence[ToolResult] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation up to a request.

    `start` is the index of the entry that began the present loop of calls and results: the last
    plain user message, whose text is the `prompt`. `digest` is of all texts up to it (of texts
    alone, since a client's marks for the cache move from turn to turn). `turns` are the indices of
    the entries with which each model response since then begins, `results` the tool results after
    the last response. `is_follow_up` is True if a response came before the prompt.
    """

    start: int
    prompt: str
    digest: str
    turns: Sequence[int]
    results: Sequence[ToolResult]
    is_follow_up: bool = False

    @property
    def has_failed(self) -> bool | None:
        """True if a result's flag or output says that its call failed; None without results."""
        if not self.results:
            return None
        return any(result.is_error or _FAILED.search(result.output) for result in self.results)


def read_conversation(
    entries: Sequence[Entry], wire: CallWire, ids: IdFactory, *parts: str
) -> Conversation:
    """Return the conversation; its digest is also of `parts`, as of the system prompt."""
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
    """Return the index of the last user message without tool results in it or right before it."""
    plain = (
        index
        for index, (before, entry) in enumerate(pairwise(entries), 1)
        if entry.role == "user" and not entry.results and not before.results
    )
    return max(plain, default=0)


def _responses(
    entries: Sequence[Entry], start: int, wire: CallWire, ids: IdFactory
) -> Sequence[int]:
    """Return the index at which each response after `start` begins.

    The model's entries belong to one response if they are neighbours or, as clients may
    put each result right after its call, if their call ids have the same nonce.
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
    """A checked request. `max_tokens` is None for no limit; `reasoning`: it asks for reasoning.

    `tools` are the names of the tools that it offers.
    """

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
class Refused(Exception):  # noqa: N818 - an answer to the client, not an error of the simulator
    """An error as the answer to a request. Each wire writes it in its own form (`Wire.refuse`).

    Without a message it gets the wire's usual message for its kind. `param` and
    `code` exist on OpenAI's wires only; `retry_after` is in seconds.
    """

    kind: RefusalKind
    message: str = ""
    param: str | None = None
    code: str | None = None
    retry_after: float | None = None


def tokens(characters: int) -> int:
    """Estimate the number of tokens, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)
