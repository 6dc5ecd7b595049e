"""A request in no wire's terms, its conversation so far, and an error in answer to one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lfgtui.simulator.ids import CallWire, IdFactory

CHARACTERS_PER_TOKEN = 4
UNKNOWN_MODEL = "no-such-model"
"""The one model name that is answered 404; any other plays a scenario or the generic answer."""

_FAILED = re.compile(
    r"\Aerror\b|\Athere is no |\A(?:read|list|search|write|edit|run)_(?:files?|command): "
    r"|^FAILED \("
    r"|^\W?(?:killed by \w+, )?exit(?:ed)?(?: with)? (?:code|status):? -?[1-9]",
    re.IGNORECASE | re.MULTILINE,
)

RefusalKind = Literal["invalid", "json", "auth", "not_found", "rate_limit", "overloaded", "server"]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one tool call. `is_error` is the wire's own flag."""

    output: str
    is_error: bool = False

    @property
    def has_failed(self) -> bool:
        """True if the flag or the output says that the tool failed."""
        return self.is_error or _FAILED.search(self.output) is not None


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request.

    `prompt` is the last plain user message, `conversation` a digest of all up
    to it, `turn` the number of model responses since (from 0), `results` those
    that came last. `max_tokens` is None where there is no limit.
    """

    model: str
    stream: bool
    prompt: str
    conversation: str
    turn: int
    results: tuple[ToolResult, ...]
    max_tokens: int | None
    reasoning: bool
    tools: frozenset[str]
    input_tokens: int
    cached_tokens: int

    @property
    def has_failed(self) -> bool | None:
        """True if one of the last tool results failed; None where there are none."""
        return any(result.has_failed for result in self.results) if self.results else None


class Refused(Exception):  # noqa: N818 - an answer to the client, not a fault of ours
    """An error in answer to a request. Each wire writes it in its own form.

    Without a message it has the wire's usual one for its kind. `param` and
    `code` exist on OpenAI's wires only; `retry_after` is in seconds.
    """

    def __init__(
        self,
        kind: RefusalKind,
        message: str = "",
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: RefusalKind = kind
        self.message = message
        self.param = param
        self.code = code
        self.retry_after = retry_after


def tokens(characters: int) -> int:
    """Estimate how many tokens that many characters are."""
    return -(-characters // CHARACTERS_PER_TOKEN)


class Entry(NamedTuple):
    """A message, or an item where a message is several. `calls` are ids."""

    role: str
    text: str
    calls: Sequence[str] = ()
    results: Sequence[ToolResult] = ()


class Conversation:
    """`start` is the entry that began the running loop: the last plain user message.

    A user's word beside or right after tool results is not one. `turns` are the
    entries with which each model response since then began.
    """

    def __init__(self, entries: Sequence[Entry], wire: CallWire, ids: IdFactory) -> None:
        self._entries = entries
        self._ids = ids
        self.start = self._last_plain_user()
        self.turns = self._responses(wire)

    @property
    def prompt(self) -> str:
        return self._entries[self.start].text

    @property
    def results(self) -> tuple[ToolResult, ...]:
        """The tool results since the last response."""
        after = self._entries[self.turns[-1] :] if self.turns else ()
        return tuple(result for entry in after for result in entry.results)

    def digest(self, *parts: str) -> str:
        """Return a digest of the parts and of all texts up to the prompt.

        The texts alone: where a client marks what to cache moves from turn to turn.
        """
        until = self._entries[: self.start + 1]
        return self._ids.digest(*parts, *(f"{entry.role}: {entry.text}" for entry in until))

    def _last_plain_user(self) -> int:
        for index in range(len(self._entries) - 1, 0, -1):
            entry, before = self._entries[index], self._entries[index - 1]
            if entry.role == "user" and not entry.results and not before.results:
                return index
        return 0

    def _responses(self, wire: CallWire) -> list[int]:
        """Return where each response begins.

        As clients may put each result right behind its call, responses are told
        apart by the nonce in the call ids first and by their neighbours second.
        """
        begins: list[int] = []
        nonce = role = ""
        for index, entry in enumerate(self._entries):
            if index > self.start and entry.role == "assistant":
                read = (self._ids.read_call(wire, call) for call in entry.calls)
                issued = next((call.nonce for call in read if call is not None), "")
                if role != "assistant" and (not issued or issued != nonce):
                    begins.append(index)
                nonce = issued or nonce
            role = entry.role
        return begins
