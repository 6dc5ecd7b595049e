"""Answers in the history that may be given again to equal requests.

A request is found by its fingerprint, in the index of search. Its answer counts if it ended well
and is whole: after redaction, a call would have a mark among its arguments. Imported runs do not
count: their answers are whatever a file says.
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
"""Most requests that are looked at for one that was answered well."""

_WELL = frozenset({"end", "tool_use", "stop_sequence"})
"""Stop reasons of an answer that ended well."""


_SAID = (
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
"""The events of an answer; others between them are about its transfer, or about something else."""

_BROKEN = (e.TurnBegun, e.AttemptStarted, e.Retrying, e.Parked, e.Ending)

_REDACTED = MARK.encode()


class KeptAnswer(msgspec.Struct, frozen=True):
    """An answer, and the ticket that got it. `tokens` are those of its request and its own."""

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
        """Return a cache without answers: requests are sent, and later ones find them."""
        return replace(self, max_age=0.0)

    def find(self, fingerprint: str) -> KeptAnswer | None:
        """Return the newest good answer to that request; None if there is none, or no history."""
        since = now() - self.max_age
        try:
            with closing(file.connect_to_read(self.path)) as db, file.opening(self.path):
                values = (f'"{fingerprint}"', fingerprint, since, IMPORTED, _TRIED)
                rows = db.execute(_SENT, values).fetchall()
                return next(filter(None, (_answer(db, *row) for row in rows)), None)
        except HistoryError as error:  # the request is sent then
            _log.info("no answer is reused: %s", error)
            return None


def _answer(
    db: sqlite3.Connection, ticket: int, run: str, name: str, seq: int, at: float
) -> KeptAnswer | None:
    said: list[e.WireEvent] = []
    tokens = 0
    try:
        for event in _behind(db, ticket, seq):
            match event:
                case e.ResponseFinished(_, reason):
                    whole = reason in _WELL and not any(map(_is_redacted, said))
                    answer = (run, name, at, tokens, tuple(said), event)
                    return KeptAnswer(*answer) if whole else None
                case e.Usage():
                    tokens = event.input + event.output
                case e.WireEvent() if isinstance(event, _SAID):
                    said.append(event)
                case _ if isinstance(event, _BROKEN):
                    return None
    except HistoryError:  # another version's, or damaged
        pass
    return None


def _behind(db: sqlite3.Connection, ticket: int, seq: int) -> Iterator[e.Event]:
    """Yield the ticket's events after the entry `seq`."""
    while rows := entries.some(db, ticket, seq + 1):
        for row in rows:
            yield entries.entry("", "", row).event
        seq = rows[-1][0]


def _is_redacted(event: e.WireEvent) -> bool:
    is_left_out = isinstance(event, e.ProviderItem) and event.wire == "redacted"
    return is_left_out or _REDACTED in encode_event(event)
