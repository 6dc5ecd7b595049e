"""A run without a screen: a line per state change, JSON lines, or the bare answer."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

from lfgtui.cli.launching.printer import Formatter, Printer
from lfgtui.cli.launching.run_plan import Output
from lfgtui.engine import signals
from lfgtui.engine.engine import Engine
from lfgtui.errors import IllegalMoveError
from lfgtui.model import events as e
from lfgtui.model.states import StateMachine
from lfgtui.text.output import Document, print_error, print_json, print_text
from lfgtui.text.terminal_safe import visible_line

_LAST_WORDS = 2.0
"""Seconds that a signal leaves for what is still to be written."""


class StateLines:
    """One line for each state change, with what there is to say about it."""

    def __init__(self) -> None:
        self._machines: dict[str, StateMachine] = {}

    def __call__(self, entry: e.Entry) -> str:
        machine = self._machines.setdefault(entry.ticket, StateMachine())
        before = machine.state
        try:
            after = machine.apply(entry.event)
        except IllegalMoveError as error:
            return f"lfg: a bug: {error}\n"
        if after == before:
            return ""
        clock = time.strftime("%H:%M:%S", time.localtime(entry.at))
        line = f"{clock}  {entry.ticket:<16}  {after:<14}  {_detail(entry.event)}"
        return visible_line(line.rstrip()) + "\n"


def _detail(event: e.Event) -> str:
    match event:
        case e.AttemptStarted(provider, model):
            return f"{provider}/{model}"
        case e.RequestSent(turn):
            return f"turn {turn}"
        case e.Retrying(reason, delay):
            return f"{reason}; again in {delay:g} s" if delay else reason
        case e.ApprovalRequested(_, _, summary):
            return summary
        case e.TicketFailed(kind, message):
            return f"{kind}: {message}"
        case e.TicketLimited(limit):
            return limit
        case e.TicketBlocked(reason):
            return reason
        case e.TicketDone(stop_reason):
            return stop_reason
        case _:
            return ""


def json_line(entry: e.Entry) -> str:
    """The documented line."""
    return e.entry_json(entry) + "\n"


class AnswerText:
    """The visible text, responses parted by a blank line, and a newline at the end."""

    def __init__(self) -> None:
        self._is_open = False
        self._said = False

    def __call__(self, entry: e.Entry) -> str:
        match entry.event:
            case e.TextDelta(text):
                parted = self._said and not self._is_open
                self._is_open = self._said = True
                return f"\n\n{text}" if parted else text
            case e.AttemptStarted(keeps_partial=True):  # what follows is the rest of it
                self._is_open = self._said
                return ""
            case e.ResponseFinished() | e.Retrying():
                self._is_open = False
                return ""
            case _ if isinstance(entry.event, e.Ending) and self._said:
                return "\n"
            case _:
                return ""


def formatter(output: Output) -> Formatter:
    """Return the function that turns entries into this kind of output."""
    match output:
        case "states":
            return StateLines()
        case "json":
            return json_line
        case "answer" | "raw":
            return AnswerText()


async def run_headless(engine: Engine, output: Output) -> int:
    """Run to the end; returns the exit code.

    Raises `BrokenPipeError`, the run being over, when nobody reads any more.
    """
    loop = asyncio.get_running_loop()
    stopped_by: asyncio.Future[signal.Signals] = loop.create_future()

    def stop(number: signal.Signals) -> None:
        if not stopped_by.done():
            stopped_by.set_result(number)

    with signals.delivered(loop, stop):
        return await _run(engine, output, stopped_by)


async def _run(engine: Engine, output: Output, stopped_by: "asyncio.Future[signal.Signals]") -> int:
    document = Document(raw=output == "raw")
    ways = {"states": print_text, "json": print_json}
    printer = Printer(formatter(output), ways.get(output, document.write))
    complaints = Printer(BehindText(lambda: engine.behind), complain)
    engine.subscribe(printer.sink)
    engine.subscribe(complaints.sink)
    writing = asyncio.create_task(printer.run())
    complaining = asyncio.create_task(complaints.run())
    engine.start()
    idle = asyncio.create_task(engine.wait_idle())
    await _first_of(idle, stopped_by, writing)
    ended_well = await _close(engine, idle)
    printer.finish()
    complaints.finish()
    written = asyncio.create_task(_all_of(writing, complaining))
    # A signal may come also now, while a reader that lags takes in the rest.
    await _first_of(written, stopped_by)
    code = 0 if ended_well and engine.all_done else 1
    if stopped_by.done():
        code = 128 + stopped_by.result()
        await asyncio.wait({written}, timeout=_LAST_WORDS)
        if not written.done():  # a write to a reader that does not read cannot be ended
            os._exit(code)
    await writing
    document.close()
    if output in ("answer", "raw"):
        _explain_endings(engine)
    return code


async def _all_of(*waiting: "asyncio.Task[None]") -> None:
    await asyncio.wait(waiting)


async def _first_of(*waiting: "asyncio.Task[None] | asyncio.Future[signal.Signals]") -> None:
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


async def _close(engine: Engine, idle: "asyncio.Task[None]") -> bool:
    """Shut down; says on stderr what could not be saved, and whether all was."""
    idle.cancel()
    outcome = await asyncio.gather(idle, engine.shutdown(), return_exceptions=True)
    troubles = [error for error in outcome if isinstance(error, Exception)]
    for told in dict.fromkeys(map(str, troubles)):
        print_error(told)
    return not troubles


class BehindText:
    """Says that history cannot be written, and that it can again: a line for each."""

    def __init__(self, behind: Callable[[], str | None]) -> None:
        self._behind = behind
        self._told: str | None = None

    def __call__(self, _entry: e.Entry) -> str:
        if (behind := self._behind()) == self._told:
            return ""
        self._told = behind
        said = f"history is behind: {behind}" if behind else "history has caught up"
        return visible_line(said) + "\n"


def complain(text: str) -> None:
    """Write each line on stderr."""
    for line in text.splitlines():
        print_error(line)


def _explain_endings(engine: Engine) -> None:
    for ticket in engine.tickets:
        ending = engine.transcript(ticket.id).ending
        if ending is not None and not isinstance(ending, e.TicketDone):
            said = e.event_type(ending).removeprefix("ticket_")  # as in "interrupted"
            print_error(_detail(ending) or said)
