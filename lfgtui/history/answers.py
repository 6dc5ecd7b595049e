"""Answers in the history that may be given again to equal requests (`cache_answers`).

A request is found by its fingerprint, in the index of search. Its answer is used if it ended well
and nothing in it was redacted: a call would have a mark in its arguments. Answers of imported runs
are not used, since somebody else may have written them.
"""

import logging
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from lfgtui.errors import HistoryError
from lfgtui.history.reader import IMPORTED
from lfgtui.history.storage import entries, file
from lfgtui.model import events as e
from lfgtui.model.clock import now
from lfgtui.model.event_json import encode_event
from lfgtui.text.redactor import MARK

# The newest requests with a fingerprint: ticket's key, run, ticket, number and time of the entry.
_SENT = """
SELECT t.id, t.run, t.name, s.first_seq, s.at
FROM segments_fts
    CROSS JOIN segments s ON s.id = segments_fts.rowid
    CROSS JOIN tickets t ON t.id = s.ticket
    CROSS JOIN runs r ON r.id = t.run
WHERE segments_fts MATCH ? AND s.kind = 'fingerprint' AND s.text = ? AND s.at >= ?
    AND r.id <> '' AND r.source IS NOT ?
ORDER BY segments_fts.rowid DESC LIMIT ?
"""

_log = logging.getLogger(__name__)

_TRIED = 20
"""Most equal requests that are looked at to find one that was answered well."""

_WELL = frozenset({"end", "tool_use", "stop_sequence"})
"""Stop reasons of an answer that ended well."""


_CONTENT = (
    e.TextDelta,
    e.ReasoningDelta,
    e.Citation,
    e.ToolCallStarted,
    e.ToolArgumentsDelta,
    e.ToolCallRequested,
    e.HostedTool,
    e.HostedOutputDelta,
    e.ProviderItem,
)
"""The events of an answer; a new event with content belongs here, too. Others between them are
about the transfer, or about something else."""

_BROKEN = (e.TurnBegun, e.AttemptStarted, e.Retrying, e.Parked, e.Ending)
"""Events before which a complete answer would have finished."""

_REDACTED = MARK.encode()  # in the JSON of an event from which a secret was removed


class KeptAnswer(msgspec.Struct, frozen=True):
    """An answer, and the ticket that got it. `tokens` is the sum of input and output tokens.

    `recorded_at` is when its request was sent, in seconds since the epoch.
    """

    run: str
    ticket: str
    recorded_at: float
    tokens: int
    events: tuple[e.WireEvent, ...]
    finished: e.ResponseFinished


@dataclass(frozen=True, slots=True)
class AnswerCache:
    """The answers in the history file that may be given again, up to a maximum age in seconds."""

    path: Path
    max_age: float = math.inf

    def unread(self) -> "AnswerCache":
        """Return a cache that finds nothing, so that every request is sent."""
        return replace(self, max_age=0.0)

    def find(self, fingerprint: str) -> KeptAnswer | None:
        """Return the newest usable answer to a request; None if there is none, or on an error.

        It reads the file: call it in a thread.
        """
        since = now() - self.max_age
        try:
            with closing(file.connect_to_read(self.path)) as db, file.opening(self.path):
                values = (f'"{fingerprint}"', fingerprint, since, IMPORTED, _TRIED)
                rows = db.execute(_SENT, values).fetchall()
                return next(filter(None, (_answer(db, *row) for row in rows)), None)
        except HistoryError as error:  # without an answer, the request is sent
            _log.info("no answer is reused: %s", error)
            return None


def _answer(
    db: sqlite3.Connection, ticket: int, run: str, name: str, seq: int, at: float
) -> KeptAnswer | None:
    """Return the answer to the request whose fingerprint is the ticket's entry `seq`."""
    content: list[e.WireEvent] = []
    tokens = 0
    try:
        for event in _events_after(db, ticket, seq):
            match event:
                case e.ResponseFinished(_, reason):
                    whole = reason in _WELL and not any(map(_is_redacted, content))
                    answer = (run, name, at, tokens, tuple(content), event)
                    return KeptAnswer(*answer) if whole else None
                case e.Usage():
                    tokens = event.input + event.output
                case e.WireEvent() if isinstance(event, _CONTENT):
                    content.append(event)
                case _ if isinstance(event, _BROKEN):
                    return None
    except HistoryError:  # an event of another version of lfg, or damage
        pass
    return None


def _events_after(db: sqlite3.Connection, ticket: int, seq: int) -> Iterator[e.Event]:
    """Yield the ticket's events after the entry `seq`."""
    while rows := entries.some(db, ticket, seq + 1):
        for row in rows:
            yield entries.entry("", "", row).event
        seq = rows[-1][0]


def _is_redacted(event: e.WireEvent) -> bool:
    is_left_out = isinstance(event, e.ProviderItem) and event.wire == "redacted"
    return is_left_out or _REDACTED in encode_event(event)
