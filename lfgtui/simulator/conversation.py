"""A conversation in no wire's terms: where its running loop began, and how far it has come."""

from collections.abc import Sequence
from typing import NamedTuple

from lfgtui.simulator.ids import CallWire, IdFactory
from lfgtui.simulator.request import ToolResult


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
