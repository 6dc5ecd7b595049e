"""A past run as the screen sees it: folded once from its entries, and not updated."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from lfgtui.history.reader import Reader
from lfgtui.history.search import SearchHit
from lfgtui.model.events import Entry
from lfgtui.model.fold.items import PromptItem
from lfgtui.model.fold.metrics import Health, Meter
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket
from lfgtui.settings.providers import SIMULATED
from lfgtui.ui.stream.search_target import ItemRef, Target

T = TypeVar("T")


async def query(open_reader: Callable[[], Reader], question: Callable[[Reader], T]) -> T:
    """Return `question`'s result for a new reader, in a thread; raises `LfgError` as it does."""

    def work() -> T:
        with open_reader() as reader:
            return question(reader)

    return await asyncio.to_thread(work)


class FoldedTicket(msgspec.Struct, frozen=True):
    """One folded ticket; `ref` is the item that holds the entry to show, if there is one."""

    ticket: Ticket
    transcript: Transcript
    meter: Meter
    ref: ItemRef | None = None


class StoredRun:
    """A `RunView` that is read once. `is_at_work`: the run was going on when it was read."""

    health = Health()

    def __init__(
        self,
        run: str,
        title: str,
        folded: Iterable[FoldedTicket],
        note: str = "",
        *,
        is_at_work: bool = False,
    ) -> None:
        self.run = run
        self.title = title
        self.note = note
        self.is_at_work = is_at_work
        self._by_id = {one.ticket.id: one for one in folded}
        self.tickets = tuple(one.ticket for one in self._by_id.values())

    def transcript(self, ticket: str) -> Transcript:
        return self._by_id[ticket].transcript

    def meter(self, ticket: str) -> Meter:
        return self._by_id[ticket].meter

    @property
    def is_simulated(self) -> bool:
        """True if a part of it came from simulated models."""
        folded = self._by_id.values()
        return any(a.provider in SIMULATED for one in folded for a in one.transcript.attempts)

    def target_of(self, hit: SearchHit) -> Target | None:
        """Return the match to show for a hit; None if no item shows the hit's first entry."""
        ref = self._by_id[hit.ticket].ref
        if ref is None or not hit.matches:
            return None if ref is None else Target(ref, "")
        start, end = hit.matches[0]
        pattern = " ".join(hit.snippet[start:end].split())
        return Target(ref, pattern, hit.snippet[:start], hit.snippet[end:])


def read_run(reader: Reader, run: str, hit: SearchHit | None = None) -> StoredRun:
    """Read and fold a whole run; for a thread, as a long one takes a while.

    The ticket of `hit` refers to the item that holds its first entry. Raises
    `HistoryError`, and `UsageError` where there is no such run.
    """
    summary = reader.run(run)
    folded = []
    for stored in reader.tickets(run):
        ticket = stored.ticket
        seq = hit.seq if hit is not None and hit.ticket == ticket.id else 0
        folded.append(fold(ticket, reader.entries(run, ticket.id), seq=seq))
    is_at_work = summary.state == "running"
    return StoredRun(run, summary.title, folded, summary.note, is_at_work=is_at_work)


def fold(ticket: Ticket, entries: Iterable[Entry], *, seq: int = 0) -> FoldedTicket:
    """Fold a ticket's entries; refer to the item that the entry numbered `seq` belongs to."""
    transcript, meter = Transcript(ticket.workspace), Meter()
    ref = None
    for entry in entries:
        before = _revisions(transcript) if entry.seq == seq else None
        transcript.apply(entry)
        meter.apply(entry)
        if before is not None:
            ref = _touched(_revisions(transcript), before)
            if ref is not None and not _may_hold(transcript, ref, entry):
                ref = None
    return FoldedTicket(ticket, transcript, meter, ref)


def _may_hold(transcript: Transcript, ref: ItemRef, entry: Entry) -> bool:
    """Return False if the entry is of a call and the item a message that only appeared with it."""
    item = transcript.attempts[ref.attempt].items[ref.item]
    return not (entry.event.facets.call and isinstance(item, PromptItem))


def _revisions(transcript: Transcript) -> dict[ItemRef, int]:
    """Return the revision of each item, by which `_touched` sees what an entry changed."""
    return {
        ItemRef(number, index): item.revision
        for number, attempt in enumerate(transcript.attempts)
        for index, item in enumerate(attempt.items)
    }


def _touched(now: dict[ItemRef, int], before: dict[ItemRef, int]) -> ItemRef | None:
    """Return the new item, or else the changed one: a new item may close another."""
    added = (ref for ref in reversed(now) if ref not in before)
    changed = (ref for ref in now if now[ref] != before.get(ref))
    return next(added, None) or next(changed, None)
