"""lfg as it is typed, a config, a finished run, and a simulator that does not dawdle."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import pytest

from lfgtui.__main__ import main
from lfgtui.cli.launching.session import embedded_simulator
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from tests.helpers.processes import simulator

S = TypeVar("S")

LIFE: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("simulator", "m"),
    e.UserMessage("Go."),
    e.RequestSent(1),
    e.TextDelta("Gone *for good*."),
    e.ResponseFinished(1, "end"),
    e.TicketDone("end"),
]


class Printed(NamedTuple):
    """An exit code, and the text on stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stdout holds, where all went well."""
        assert (self.code, self.err) == (0, "")
        return json.loads(self.out)


Lfg = Callable[..., Printed]


@pytest.fixture
def lfg(capsys: pytest.CaptureFixture[str]) -> Lfg:
    """Run lfg in this process."""

    def run(*arguments: str) -> Printed:
        capsys.readouterr()
        code = main(arguments)
        return Printed(code or 0, *capsys.readouterr())

    return run


def configure(text: str) -> None:
    """Write the config file."""
    path = paths.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def store(title: str, tickets: Sequence[Ticket], life: Sequence[e.Event], step: float = 1) -> str:
    """Store a run whose first ticket had this life, each event in a batch of its own."""
    with Recorder(paths.history_file()) as history:
        run = history.start_run(title, tickets, None)
        for at, event in enumerate(life):
            history.submit(run, tickets[0].id, 1, 1000.0 + at * step, event)
            history.flush().result()
        history.finish_run(run, "done")
    return run


@pytest.fixture
def run() -> str:
    """A finished run."""
    return store("Hi\x1b[31m", [Ticket(id="a", prompt="p", workspace="/")], LIFE, 0.5)


@contextmanager
def in_background(serving: AbstractAsyncContextManager[S]) -> Iterator[S]:
    """Keep a server up on an event loop in another thread; gives what its context gives."""
    addresses: SimpleQueue[S] = SimpleQueue()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with serving as address:
            addresses.put(address)
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield addresses.get()
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def quick() -> Iterator[str]:
    """A config with a provider "quick": a simulator, a process of its own, that does not dawdle.

    It is on the wire that needs no SDK, whose import is most of the CPU time of a short run.
    """
    with simulator("--speed", "10") as url:
        yield f'[providers.quick]\nwire = "agent-websocket"\nbase_url = "{url}/agent"\n'


@pytest.fixture
def fast_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded simulator answers three times as fast."""
    fast = partial(embedded_simulator, "--speed", "3.0")
    monkeypatch.setattr("lfgtui.cli.launching.session.embedded_simulator", fast)
