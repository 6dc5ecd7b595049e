"""`kill -9` between a message and its answer: the next request has it, once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from lfgtui.simulator.server import Settings, build_app, listening
from tests.cli.conftest import Lfg, configure, in_background
from tests.engine.harness import scenario
from tests.helpers.processes import start, three_wires

pytestmark = pytest.mark.usefixtures("at_root")

SAID = "Use pathlib please"
WIRES = ("chat", "responses", "messages")
TICKETS = (*WIRES, "agent")
LAST = dict.fromkeys(WIRES, "user_message") | {"agent": "message_taken"}
"""The event of each ticket after which lfg is killed."""
SILENT = scenario(
    rate=1000,
    first_token=0.01,
    turn=[{"text": "I begin like this. " * 20, "cut": {"after": 60, "how": "half-open"}}],
)
TICKET = '[[ticket]]\nid = "{0}"\nprovider = "{0}"\nmodel = "m"\nprompt = "Go, {0}."\ntools = []\n'


@asynccontextmanager
async def recording(settings: Settings) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A simulator: its root URL, and what it is sent, an item a request."""
    app, sent = await asyncio.to_thread(build_app, settings), list[bytes]()

    async def record(scope: Scope, receive: Receive, send: Send) -> None:
        number = len(sent)
        sent.append(b"")

        async def received() -> Message:
            message = await receive()
            sent[number] += message.get("body", b"") or message.get("text", "").encode()
            return message

        await app(scope, received, send)

    async with listening(record) as root:
        yield root, sent


def until_all(lines: Iterator[str], condition: Callable[[dict[str, Any]], bool]) -> None:
    """Read entries until each ticket has had one that meets the condition."""
    missing = set(TICKETS)
    while missing:
        entry = json.loads(next(lines))
        if condition(entry):
            missing.discard(entry["ticket"])


def configure_all(root: str) -> None:
    agent = f'[providers.agent]\nwire = "agent-websocket"\nbase_url = "{root}/agent"\n'
    configure(three_wires(root, WIRES) + agent)


def test_a_message_is_in_the_next_request_of_a_resumed_run_once(tmp_path: Path, lfg: Lfg) -> None:
    tickets = tmp_path / "tickets.toml"
    tickets.write_text("".join(map(TICKET.format, TICKETS)))
    with in_background(recording(Settings(speed=0.2, scenarios={"m": SILENT}))) as (root, before):
        configure_all(root)
        with start("run", str(tickets), "--headless", "--json") as process:
            try:
                assert process.stdout is not None
                until_all(process.stdout, lambda entry: entry["type"] == "text_delta")
                for ticket in TICKETS:
                    assert lfg("tell", f"last/{ticket}", SAID).code == 0
                until_all(process.stdout, lambda entry: entry["type"] == LAST[entry["ticket"]])
            finally:
                process.kill()
        assert sorted(body.count(SAID.encode()) for body in before) == [0, 0, 0, 1]
    with in_background(recording(Settings(speed=0))) as (root, after):
        configure_all(root)
        assert lfg("resume", "last", "--headless").code == 0
    assert [body.count(SAID.encode()) for body in after] == [1, 1, 1, 1]
    exported = lfg("export", "last", "--format", "jsonl").out
    entries = list(map(json.loads, exported.splitlines()))
    said = [(entry["ticket"], entry["text"]) for entry in entries if "origin" in entry]
    assert sorted(said) == [(ticket, SAID) for ticket in sorted(TICKETS)]
