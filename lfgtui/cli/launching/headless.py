"""A run without a screen: a line per state change, JSON lines, or the bare answer."""

import asyncio
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lfgtui.cli.launching.launch import Output
from lfgtui.cli.launching.next_step import print_worktrees
from lfgtui.cli.launching.printer import Formatter, Printer
from lfgtui.cli.launching.reachable import reachable
from lfgtui.engine import signals
from lfgtui.engine.engine import Engine
from lfgtui.errors import IllegalMoveError
from lfgtui.model import events as e
from lfgtui.model.event_json import entry_json
from lfgtui.model.fold.conversation import ModelTurn
from lfgtui.model.fold.items import NoteItem
from lfgtui.model.fold.metrics import HistoryTrouble
from lfgtui.model.fold.notes import LIMIT_SETTINGS
from lfgtui.model.fold.states import State, StateMachine
from lfgtui.model.fold.transcript import Transcript
from lfgtui.settings.config import StreamUnit
from lfgtui.text.figures import clock_time, model_name
from lfgtui.text.output import Document, print_error, print_json, print_text
from lfgtui.text.terminal_safe import visible_line
from lfgtui.text.units import Unit, UnitSplitter

_LAST_WORDS = 2.0
"""Seconds after a signal in which output that is not written yet may still be."""


_SHOWN = (e.Parked, e.GuardTripped, e.ContradictionFound, e.ConflictDetected)
"""Events that `StateLines` prints although they change no state."""


class StateLines:
    """Formats each state change as a line with its reason, and other entries as "".

    It keeps each ticket's state, so it must be given all entries of a run, in order.
    """

    def __init__(self) -> None:
        self._machines: defaultdict[str, StateMachine] = defaultdict(StateMachine)

    def __call__(self, entry: e.Entry) -> str:
        machine = self._machines[entry.ticket]
        before = machine.state
        try:
            after = machine.apply(entry.event)
        except IllegalMoveError as error:
            return f"lfg: a bug: {error}\n"
        is_waiting = after == "queued" and isinstance(entry.event, e.Status)
        if after == before and not isinstance(entry.event, _SHOWN) and not is_waiting:
            return ""
        clock = time.strftime("%H:%M:%S", time.localtime(entry.at))
        line = f"{clock}  {entry.ticket:<16}  {after:<14}  {_detail(entry.event, entry.at)}"
        return visible_line(line.rstrip()) + "\n"


def _detail(event: e.Event, at: float) -> str:
    """Return what a line says about an event of the time `at`, "" for nothing.

    A new event that changes a state, or is in `_SHOWN`, needs a case unless its state says all.
    """
    match event:
        case e.AttemptStarted(provider, model):
            where = f" on worker {event.worker}" if event.worker else ""
            return model_name(provider, model) + where
        case e.RequestSent(turn):
            return f"turn {turn}"
        case e.AnswerReused(turn):
            return f"turn {turn} {event.in_words}"
        case e.Retrying(reason, delay) if delay:
            return f"{reason}; retrying in {delay:g} s"
        case e.ContextCompacted():
            return event.in_words
        case e.Parked(_, until, reason):
            return f"parked until {clock_time(until, at)}: {reason}"
        case e.TicketFailed(kind, message) | e.GuardTripped(kind, message):
            return f"{kind}: {message}"
        case e.TicketLimited(limit):
            return LIMIT_SETTINGS[limit]
        case e.ConflictDetected():
            return f"conflict: {event.in_words}"
        case (
            e.Retrying(detail)
            | e.ApprovalRequested(_, _, detail)
            | e.TicketBlocked(detail)
            | e.TicketDone(detail)
            | e.TicketCancelled(detail)
            | e.TicketInterrupted(detail)
            | e.ContradictionFound(detail)
            | e.Status(detail)
        ):
            return detail or ""
        case _:
            return ""


class AnswerText:
    """Formats one ticket's text, with a blank line between responses and a newline at the end.

    Answers of tickets that are added to the run are not printed: mixed, they could not be read.
    The history has them.
    """

    def __init__(self, ticket: str) -> None:
        self._ticket = ticket
        self._has_text = False
        self._gap = ""

    def __call__(self, entry: e.Entry) -> str:
        if entry.ticket != self._ticket:
            return ""
        match entry.event:
            case e.TextDelta(text):
                gap, self._gap, self._has_text = self._gap, "", True
                return gap + text
            case e.AttemptStarted(keeps_partial=True):  # it continues the text so far
                self._gap = ""
            case e.ResponseFinished() | e.Retrying() | e.Parked() if self._has_text:
                self._gap = "\n\n"
            case e.Ending() if self._has_text:
                return "\n"
            case _:
                pass
        return ""


class WholeUnits:
    """Formats answers unit by unit (sentence, line and the like), other entries as they come.

    `text_of` gets a unit as the text of the entry that completed it. The last unit of a text is
    complete when another entry comes that is no aside (`facets.is_aside`); it keeps its entry.
    """

    def __init__(self, unit: Unit, text_of: Formatter) -> None:
        self._unit = unit
        self._text_of = text_of
        self._open: dict[str, tuple[UnitSplitter, e.Entry]] = {}

    def __call__(self, entry: e.Entry) -> str:
        return "".join(map(self._text_of, self._whole(entry)))

    def _whole(self, entry: e.Entry) -> Iterator[e.Entry]:
        """Yield the units that this entry completes, then the entry itself if it is no text."""
        if isinstance(entry.event, e.TextDelta):
            splitter, _ = self._open.get(entry.ticket) or (UnitSplitter(self._unit), entry)
            self._open[entry.ticket] = splitter, entry
            yield from _parts(entry, splitter.feed(entry.event.text))
            return
        if entry.ticket in self._open and not entry.event.facets.is_aside:
            splitter, last = self._open.pop(entry.ticket)
            yield from _parts(last, splitter.close())
        yield entry


def _parts(entry: e.Entry, texts: list[str]) -> Iterator[e.Entry]:
    return (msgspec.structs.replace(entry, event=e.TextDelta(text)) for text in texts)


class BehindText:
    """Formats a line when the history cannot be written, and one when it can again.

    `behind` returns the present `Health.behind`.
    """

    def __init__(self, behind: Callable[[], HistoryTrouble | None]) -> None:
        self._behind = behind
        self._last: HistoryTrouble | None = None

    def __call__(self, _entry: e.Entry) -> str:
        if (behind := self._behind()) == self._last:
            return ""
        self._last = behind
        state = behind.in_words if behind else "saved again"
        return visible_line(f"history is {state}") + "\n"


def waiting_text(entry: e.Entry, state: State | None) -> str:
    """Format a line if a ticket waits for a slot or a limit, for runs that print answers alone."""
    is_queued = state == "queued" and isinstance(entry.event, e.Status)
    if not is_queued and not isinstance(entry.event, e.Parked):
        return ""
    return visible_line(_detail(entry.event, entry.at)) + "\n"


async def run_headless(engine: Engine, output: Output, unit: StreamUnit) -> int:
    """Run to the end, printing answers unit by unit; return the exit code.

    Raises `BrokenPipeError` if the output's reader has gone; the run has then been shut down.
    """
    loop = asyncio.get_running_loop()
    stopped_by: asyncio.Queue[signal.Signals] = asyncio.Queue()
    with signals.delivered(loop, stopped_by.put_nowait):
        return await _run(engine, output, unit, asyncio.create_task(stopped_by.get()))


async def _run(
    engine: Engine, output: Output, unit: StreamUnit, stopped_by: "asyncio.Task[signal.Signals]"
) -> int:
    """Run until all tickets have ended, the first signal (`stopped_by`), or the reader has gone.

    Then the engine is shut down, and what is still to be printed is printed; a signal limits that
    to `_LAST_WORDS`.
    """
    document = Document(raw=output == "raw")

    def by_unit(text_of: Formatter) -> Formatter:
        return text_of if unit == "token" else WholeUnits(unit, text_of)

    match output:
        case "states":
            printer = Printer(StateLines(), print_text)
        case "json":
            printer = Printer(by_unit(lambda entry: f"{entry_json(entry)}\n"), print_json)
        case "answer" | "raw":
            printer = Printer(by_unit(AnswerText(engine.tickets[0].id)), document.write)
    behind = BehindText(lambda: engine.health.behind)
    is_answer = output in ("answer", "raw")

    def warning_of(entry: e.Entry) -> str:
        state = engine.transcript(entry.ticket).state
        return behind(entry) + (waiting_text(entry, state) if is_answer else "")

    warnings = Printer(warning_of, print_errors)
    engine.subscribe(printer.sink)
    engine.subscribe(warnings.sink)
    writing = asyncio.create_task(printer.run())
    warning = asyncio.create_task(warnings.run())
    engine.start()
    idle = asyncio.create_task(engine.wait_idle())
    async with reachable(engine):
        await _first_of(idle, stopped_by, writing)
        ended_well = await _close(engine, idle)
    printer.finish()
    warnings.finish()
    written = asyncio.create_task(asyncio.wait((writing, warning)))
    # A signal may still come while a slow reader takes the rest of the output.
    await _first_of(written, stopped_by)
    code = 0 if ended_well and engine.all_done else 1
    if stopped_by.done():
        code = 128 + stopped_by.result()
        await asyncio.wait({written}, timeout=_LAST_WORDS)
        if not written.done():  # the thread is blocked in a write, which cannot be cancelled
            os._exit(code)
    await writing
    document.close()
    if is_answer:
        _explain_endings(engine)
    print_worktrees(engine)
    return code


async def _first_of(*waiting: "asyncio.Future[Any]") -> None:
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


async def _close(engine: Engine, idle: "asyncio.Task[None]") -> bool:
    """Shut down and report what could not be saved; return True if all was."""
    idle.cancel()
    outcome = await asyncio.gather(idle, engine.shutdown(), return_exceptions=True)
    troubles = [error for error in outcome if isinstance(error, Exception)]
    for message in dict.fromkeys(map(str, troubles)):
        print_error(message)
    return not troubles


def print_errors(text: str) -> None:
    """Write each line on stderr."""
    for line in text.splitlines():
        print_error(line)


def _explain_endings(engine: Engine) -> None:
    """Print why each ticket did not end well, or that it is done with an empty answer."""
    for ticket in engine.tickets:
        transcript = engine.transcript(ticket.id)
        ending = transcript.ending
        if isinstance(ending, e.TicketDone):
            last = transcript.conversation.messages[-1]
            if isinstance(last, ModelTurn) and not last.text.strip():
                print_error(_last_remark(transcript))
        elif ending is not None:
            state = e.event_type(ending).removeprefix("ticket_")  # as in "interrupted"
            print_error(_detail(ending, 0.0) or state)


def _last_remark(transcript: Transcript) -> str:
    """Return the last status of the last attempt, which may explain an empty answer."""
    items = transcript.attempts[-1].items
    remarks = [i.message for i in items if isinstance(i, NoteItem) and i.kind == "status"]
    return remarks[-1] if remarks else "the answer is empty"
