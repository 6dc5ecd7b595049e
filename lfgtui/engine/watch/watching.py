"""Tickets with `watch`: they read what the others newly say, and report contradictions.

A look is a message in the watcher's own conversation, so the provider's cache has the earlier
looks; a conversation that has become long begins anew, with the findings so far. Each message also
says how far the watcher has read, so a resumed run continues from there. Watchers take no slot,
since they work for moments only, and end when all other tickets have ended.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import inf

from msgspec import UNSET

from lfgtui.agent.findings import Finding, read_findings, unfounded
from lfgtui.agent.loop import Agent
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.engine.watch.news import News
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import Message, ModelTurn, ToolResult
from lfgtui.model.fold.items import ReasoningItem, TextItem, ToolItem
from lfgtui.model.fold.transcript import Transcript
from lfgtui.text.figures import count

LOOK = 24_000
"""Most characters of the news in one look, of all tickets together."""

_LEAST = 1_500
"""Characters of a look that each ticket gets at least; with many tickets a look exceeds `LOOK`."""

_LONGEST = 120_000
"""Characters of a conversation after which it begins anew."""

_PROMPT = 400
"""Most characters of each ticket's prompt in the first look."""


class Watchers:
    """The watching tickets of a run. `runs` are all of its tickets, by id.

    `take` is a sink of the run's entries. `clock` gives seconds.
    """

    def __init__(self, runs: Mapping[str, TicketRun], clock: Callable[[], float]) -> None:
        self._runs = runs
        self._clock = clock
        self._watchers: list[Watcher] = []

    def add(self, run: TicketRun) -> None:
        """Add a ticket of the run; only one with `watch` becomes a watcher."""
        if run.ticket.watch:
            self._watchers.append(Watcher(run, self._runs, self._clock))

    def take(self, entries: Sequence[e.Entry]) -> None:
        """Give stored entries, in their order, to each watcher."""
        for watcher in self._watchers:
            for entry in entries:
                watcher.apply(entry)
            watcher.look_up()

    def recall(self, stored: Iterable[Sequence[e.Entry]]) -> None:
        """Give each watcher the tickets' entries from before this process."""
        if self._watchers:
            self.take(list(heapq.merge(*stored, key=lambda entry: entry.at)))

    def look_again(self) -> None:
        """Have waiting watchers look again, since a ticket has ended."""
        for watcher in self._watchers:
            watcher.changed.set()

    @property
    def waiting(self) -> Mapping[str, str]:
        """Why some watchers are not looking just now, in words."""
        watchers = {one.run.ticket.id: one.waiting for one in self._watchers}
        return {ticket: words for ticket, words in watchers.items() if words}

    def resume(self) -> None:
        """Queue watchers that are done, if other tickets are at work again."""
        if any(run.phase != "ended" for run in self._runs.values() if not run.ticket.watch):
            for run in (watcher.run for watcher in self._watchers):
                if run.is_done:
                    run.queue(continues=True)


class Watcher:
    """One watching ticket: waits for news, has its agent look, and marks its findings.

    It replaces the ticket's `work_with`, so its attempts run `work`.
    """

    def __init__(
        self, run: TicketRun, runs: Mapping[str, TicketRun], clock: Callable[[], float]
    ) -> None:
        self.run = run
        self._runs = runs
        self._clock = clock
        self._news: dict[str, News] = {}
        self._found: list[Finding] = []
        self._looked_at = -inf
        self.changed = asyncio.Event()
        """Set when there may be a reason to look; `Watchers` sets it, too."""
        self._is_waiting = False
        run.work_with = self.work

    def apply(self, entry: e.Entry) -> None:
        """Add the news in an entry of the run, new or recalled."""
        event = entry.event
        if type(event) is e.TextDelta and (news := self._news.get(entry.ticket)) is not None:
            news.apply(entry)  # most entries end here, before the slower tests
            return
        run = self._runs[entry.ticket]
        if run is self.run:
            self._apply_own(event)
        elif not run.ticket.watch:
            if isinstance(event, e.ContradictionFound) and event.found_by == self.run.ticket.id:
                self._found.append(_finding(event))
            news = self._news.get(entry.ticket)
            if news is None:
                news = self._news[entry.ticket] = News(run.ticket.workspace)
            news.apply(entry)
            if isinstance(event, e.Ending):
                self.changed.set()

    def look_up(self) -> None:
        """Wake the watcher if there is enough news to look at."""
        if self._is_waiting and self._is_enough:
            self.changed.set()

    def _apply_own(self, event: e.Event) -> None:
        """Note how far the watcher has read, or that it starts over."""
        if isinstance(event, e.UserMessage):
            for ticket, seq in (event.read or {}).items():
                if ticket in self._news:
                    self._news[ticket].read(seq)
            self.changed.set()
        elif isinstance(event, e.AttemptStarted) and not event.continues:
            self._found.clear()
            for news in self._news.values():
                news.forget()

    async def work(self, agent: Agent, prompt: e.UserMessage) -> e.Ending:
        """Have the agent look at the news until all others have ended; return the ending.

        The ticket's own prompt is part of the first look. Unanswered messages are answered first.
        """
        conversation = self.run.transcript.conversation
        while True:
            await self.run.settle()
            if self._is_due:
                self._is_waiting = True
                with self.run.holding_clock():
                    await self._wait()
                self._is_waiting = False
            if self._is_due:
                if (look := self._look(prompt.text)) is None:
                    return e.TicketDone("end")
                if conversation.messages:
                    self.run.emit(look)
                self._looked_at = self._clock()
                prompt_or_look = look
            else:
                prompt_or_look = prompt
            ending = await agent.run(prompt_or_look)
            if not isinstance(ending, e.TicketDone):
                return ending
            await self.run.settle()
            last = conversation.messages[-1]
            if isinstance(last, ModelTurn):
                await self._take(last.text)

    @property
    def waiting(self) -> str:
        """Why the watcher waits, in words; "" if it does not."""
        if not self._is_waiting or self.run.phase != "running":
            return ""
        every = self.run.ticket.watch_every
        return f"new output ({count(self._unread)} of {count(every)} tokens)"

    @property
    def _is_due(self) -> bool:
        """True if a look may come next, since the agent has answered all messages."""
        conversation = self.run.transcript.conversation
        last = conversation.messages[-1] if conversation.messages else None
        if conversation.said:
            return False
        return last is None or (
            isinstance(last, ModelTurn) and not last.is_cut and not conversation.unanswered
        )

    @property
    def _others(self) -> list[TicketRun]:
        return [run for run in self._runs.values() if not run.ticket.watch]

    @property
    def _is_enough(self) -> bool:
        return self._unread >= self.run.ticket.watch_every

    @property
    def _unread(self) -> int:
        return sum(news.tokens for news in self._news.values())

    async def _wait(self) -> None:
        """Wait for enough news, for the end of all others, or for a message from the person."""
        while self._is_due and any(run.phase != "ended" for run in self._others):
            self.changed.clear()
            left = None
            if self._is_enough:
                left = self._looked_at + self.run.ticket.watch_interval - self._clock()
                if left <= 0:
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.changed.wait()
            await self.run.settle()

    def _look(self, prompt: str) -> e.UserMessage | None:
        """Return a message with the news; None if there are none."""
        news = {ticket: one for ticket, one in self._news.items() if not one.is_empty}
        if not news:
            return None
        messages = self.run.transcript.conversation.messages
        is_long = sum(map(_size, messages)) > _LONGEST
        parts = [] if messages and not is_long else [prompt, self._introduction()]
        most = max(_LEAST, LOOK // len(news))
        parts.append("What the tickets newly said and did:")
        for ticket, one in news.items():
            text = one.text(most).replace("</ticket", "<\\/ticket")
            parts.append(f'<ticket id="{ticket}">\n{text}\n</ticket>')
        if all(run.phase == "ended" for run in self._others):
            parts.append("All of them have ended: this is your last look.")
        parts.append("Answer with the list of new findings, [] if there are none.")
        read = {ticket: one.last_seq for ticket, one in news.items()}
        return e.UserMessage("\n\n".join(parts), read=read, anew=is_long or UNSET)

    def _introduction(self) -> str:
        """Return the beginning of a conversation: the tickets, and what was found in them."""
        lines = ["The tickets that you watch:"]
        for run in self._others:
            prompt = " ".join(run.ticket.prompt.split())
            shown = prompt if len(prompt) <= _PROMPT else f"{prompt[:_PROMPT]} …"
            lines.append(f"- {run.ticket.id}: {shown}")
        if self._found:
            lines.append("Reported already:")
            lines += [f"- {one.tickets[0]}: {one.message}" for one in self._found]
        return "\n".join(lines)

    async def _take(self, answer: str) -> None:
        """Mark new, founded findings in both of their tickets; emit a remark on each finding."""
        found, remarks = read_findings(answer, {run.ticket.id for run in self._others})
        said = {
            ticket: said_in(self._runs[ticket].transcript)
            for ticket in {ticket for finding in found for ticket in finding.tickets}
        }
        for finding in found:
            if any(finding.is_like(known) for known in self._found):
                continue
            if why := await asyncio.to_thread(unfounded, finding, said):
                remarks.append(f"ignored a finding: {why}")
                continue
            self._found.append(finding)
            for ticket in finding.tickets:
                self._mark(finding.seen_from(ticket))
            remarks.append(f"found in {finding.tickets[0]}: {finding.message}")
        for remark in remarks:
            self.run.emit(e.Status(remark))

    def _mark(self, finding: Finding) -> None:
        event = e.ContradictionFound(finding.message, *finding, found_by=self.run.ticket.id)
        self._runs[finding.tickets[0]].emit(event)


def said_in(transcript: Transcript) -> str:
    """Return all that a ticket said and thought, and its calls with their results, as one text."""
    texts = list[str]()
    for item in (item for attempt in transcript.attempts for item in attempt.items):
        match item:
            case TextItem() | ReasoningItem():
                texts.append(item.text)
            case ToolItem():
                given = item.given
                texts += [given] if isinstance(given, str) else map(str, given.values())
                texts.append(item.output or str(item.live))
            case _:
                pass
    return "\n".join(texts)


def _size(message: Message) -> int:
    return len(message.output if isinstance(message, ToolResult) else message.text)


def _finding(event: e.ContradictionFound) -> Finding:
    return Finding(event.kind, event.tickets, event.assumptions, event.quotes)
