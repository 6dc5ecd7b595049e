"""A run without a screen: a line per state change, JSON lines, or the bare answer."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from lfgtui import events as e
from lfgtui.cli.plan import Output
from lfgtui.engine.engine import Engine
from lfgtui.errors import IllegalMoveError
from lfgtui.transcript import StateMachine
from lfgtui.visible import visible_line

Formatter: TypeAlias = Callable[[e.Entry], str]

_LAST_WORDS = 2.0
"""Seconds that a signal leaves for what is still to be written."""

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


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
    """What turns entries into output."""
    match output:
        case "states":
            return StateLines()
        case "json":
            return json_line
        case "answer":
            return AnswerText()


class Printer:
    """Writes off the loop: a reader that is slow, or gone, holds up no ticket."""

    def __init__(self, text_of: Formatter) -> None:
        self._text_of = text_of
        self._pending: list[str] = []
        self._more = asyncio.Event()
        self._finished = False

    def sink(self, entries: Sequence[e.Entry]) -> None:
        """Append; the writing happens elsewhere."""
        self._pending += [text for entry in entries if (text := self._text_of(entry))]
        self._more.set()

    def finish(self) -> None:
        """Let `run` end once everything is written."""
        self._finished = True
        self._more.set()

    async def run(self) -> None:
        """Write until finished; raises `BrokenPipeError` when nobody reads any more."""
        while not (self._finished and not self._pending):
            await self._more.wait()
            self._more.clear()
            text, self._pending = "".join(self._pending), []
            await asyncio.to_thread(_write, text)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


async def run_headless(engine: Engine, output: Output) -> int:
    """Run to the end; returns the exit code.

    Raises `BrokenPipeError`, the run being over, when nobody reads any more.
    """
    loop = asyncio.get_running_loop()
    stopped_by: asyncio.Future[signal.Signals] = loop.create_future()

    def stop(number: signal.Signals) -> None:
        if not stopped_by.done():
            stopped_by.set_result(number)

    for number in EXIT_CODES:
        loop.add_signal_handler(number, stop, number)
    printer = Printer(formatter(output))
    engine.subscribe(printer.sink)
    engine.subscribe(BehindLines(engine))
    writing = asyncio.create_task(printer.run())
    engine.start()
    idle = asyncio.create_task(engine.wait_idle())
    waiting: set[asyncio.Future[object]] = {idle, stopped_by, writing}  # type: ignore[arg-type]  # Future is invariant; only completion is awaited
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    ended_well = await _close(engine, idle)
    printer.finish()
    code = 0 if ended_well and engine.all_done else 1
    if stopped_by.done():
        code = EXIT_CODES[stopped_by.result()]
        await asyncio.wait({writing}, timeout=_LAST_WORDS)
        if not writing.done():  # a write to a reader that does not read cannot be ended
            os._exit(code)
    await writing
    if output == "answer":
        _explain_endings(engine)
    return code


async def _close(engine: Engine, idle: "asyncio.Task[None]") -> bool:
    """Shut down; says on stderr what could not be saved, and whether all was."""
    idle.cancel()
    outcome = await asyncio.gather(idle, engine.shutdown(), return_exceptions=True)
    troubles = [error for error in outcome if isinstance(error, Exception)]
    for told in dict.fromkeys(map(str, troubles)):
        _complain(told)
    return not troubles


class BehindLines:
    """Says on stderr that history cannot be written, and that it can again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told: str | None = None

    def __call__(self, entries: Sequence[e.Entry]) -> None:
        if self._engine.behind != self._told:
            self._told = self._engine.behind
            state = f"is behind, unsaved: {self._told}" if self._told else "has caught up"
            _complain(f"history {state}")


def _complain(message: str) -> None:
    sys.stderr.write(f"lfg: {visible_line(message)}\n")


def _explain_endings(engine: Engine) -> None:
    for ticket in engine.tickets:
        ending = engine.transcript(ticket.id).ending
        if ending is not None and not isinstance(ending, e.TicketDone):
            said = e.event_type(ending).removeprefix("ticket_")  # as in "interrupted"
            _complain(_detail(ending) or said)
