"""Streams that break on the way, through a real engine, real SDKs, real sockets and real history.

In each test the broken ticket has a healthy one beside it, whose answer is
under way when the other breaks and ends after that.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.settings.config import RetryPolicy
from tests.engine.harness import WIRES, Room, room, says, ticket
from tests.faults.breaker import HEAD, Breaker, Plan, after, instead, split, upto, whole

TEXT = "Příliš žluťoučký kůň úpěl ďábelské ódy."
ONCE = RetryPolicy(attempts=1)
PATIENCE = {"first_token_timeout": 20.0, "idle_timeout": 20.0}
SOON = 0.25


@dataclass
class Broken:
    """The ticket `broken`, or several with names of their own, and `healthy` beside them."""

    room: Room
    breaker: Breaker
    under_way: asyncio.Event
    free: asyncio.Event

    async def end(self) -> None:
        """Have the broken ones end while the healthy one streams; it must not notice."""
        await self.room.until(lambda: self.room.state("healthy") == "streaming")
        self.under_way.set()
        await self.room.until(lambda: self.room.engine.unfinished == ["healthy"])
        assert self.room.state("healthy") == "streaming"
        self.free.set()
        await self.room.engine.wait_idle()
        assert self.room.state("healthy") == "done"
        assert self.room.engine.transcript("healthy").answer == TEXT

    async def client_left(self) -> None:
        """Wait until the breaker sees a connection closed before its reply was whole."""
        async with asyncio.timeout(20):
            await self.breaker.left.wait()

    async def stored(self, name: str = "broken") -> "Stored":
        """What the history says of a ticket, read by a reader of its own."""
        return await asyncio.to_thread(_read, self.room.history, self.room.engine.run, name)


@dataclass
class Stored:
    """A ticket as the history has it; `texts` an item an attempt."""

    texts: list[str]
    last: e.Event
    retries: list[e.Retrying]


def _read(history: Path, run: str, name: str) -> Stored:
    with Reader(history) as reader:
        entries = list(reader.entries(run, name))
    texts: dict[int, str] = {entry.attempt: "" for entry in entries}
    for entry in entries:
        if isinstance(entry.event, e.TextDelta):
            texts[entry.attempt] += entry.event.text
    retries = [entry.event for entry in entries if isinstance(entry.event, e.Retrying)]
    return Stored(list(texts.values()), entries[-1].event, retries)


@asynccontextmanager
async def broken(
    folder: Path,
    plans: Sequence[Plan] | Mapping[str, Plan],
    *,
    wire: str = "chat",
    retry: RetryPolicy = ONCE,
    turn: Mapping[str, object] | None = None,
    **keys: object,
) -> AsyncIterator[Broken]:
    """`plans` are those of the successive requests of `broken`, or of one request of each name."""
    under_way, free = asyncio.Event(), asyncio.Event()
    each = {name: [plan] for name, plan in plans.items()} if isinstance(plans, Mapping) else {}
    each = each or {"broken": list(plans) or [whole]}  # type: ignore[arg-type]  # no mapping
    held = {name: [after(under_way, first), *more] for name, (first, *more) in each.items()}
    held["healthy"] = [split("žlu".encode(), free)]
    breaker = Breaker(held)
    tickets = [ticket(name, folder, provider=wire, **PATIENCE | keys) for name in each]
    tickets.append(ticket("healthy", folder, provider=wire))
    scenarios = {name: says(TEXT, **turn or {}) for name in each} | {"healthy": says(TEXT)}
    async with room(
        folder, tickets, scenarios=scenarios, front=breaker, retry=retry, concurrency=len(tickets)
    ) as opened:
        yield Broken(opened, breaker, under_way, free)


RESET = "the connection was lost: the server or a proxy reset it"
UNFINISHED = "the connection was lost: peer closed connection without sending complete message"

BREAKS: dict[str, tuple[Plan, str, str, str]] = {
    "reset before the headers": (lambda _: ["reset"], "", "cut", RESET),
    "closed before the headers": (lambda _: ["close"], "", "cut", "Server disconnected"),
    "reset after the headers": (upto(HEAD, "reset"), "", "cut", RESET),
    "reset in a line": (upto("kůň".encode(), "reset"), "Příliš žluťoučký", "cut", RESET),
    "reset in a character": (upto("žlu".encode(), "reset", more=1), "Příliš", "cut", RESET),
    "closed in a chunk": (upto("žlu".encode(), "close", more=1), "Příliš", "cut", UNFINISHED),
    "a chunk that is none": (
        lambda reply: [reply.replace(HEAD, HEAD + b"zz\r\n", 1), "close"],
        "",
        "cut",
        "illegal chunk header",
    ),
    "less than content-length says": (
        instead(b'{"choices":', "close", content_type="application/json", content_length="500"),
        "",
        "cut",
        "received 11 bytes, expected 500",
    ),
    "half open": (
        upto("žlu".encode(), "silence"),
        "Příliš",
        "timeout",
        "no data for 0.25 s (idle_timeout)",
    ),
}


async def test_a_break_keeps_what_came_and_names_its_cause(tmp_path: Path) -> None:
    plans = {name: plan for name, (plan, *_) in BREAKS.items()}
    async with broken(tmp_path, plans, idle_timeout=SOON) as b:
        await b.end()
        await b.client_left()
        for name, (_, partial, kind, message) in BREAKS.items():
            stored = await b.stored(name)
            assert stored.texts == [partial], name
            assert isinstance(stored.last, e.TicketFailed), name
            assert (stored.last.kind, stored.last.retryable) == (kind, True), name
            assert message in stored.last.message, name


@pytest.mark.parametrize("wire", WIRES)
async def test_a_retry_after_a_cut_is_an_attempt_that_works(tmp_path: Path, wire: str) -> None:
    plans = [upto("žlu".encode(), "reset", more=1), upto("kůň".encode(), "close")]
    retry = RetryPolicy(attempts=3, base_delay=0.0)
    async with broken(tmp_path, plans, wire=wire, retry=retry) as b:
        await b.end()
        assert b.breaker.asked["broken"] == 3
        stored = await b.stored()
    assert stored.texts == ["Příliš", "Příliš žluťoučký", TEXT]
    assert [retrying.kind for retrying in stored.retries] == ["cut", "cut"]
    assert stored.last == e.TicketDone("end")


REFUSALS: dict[str, tuple[dict[str, object], str, list[float]]] = {
    "429": ({"status": 429}, "rate_limit", [0.0]),
    "429 with Retry-After": ({"status": 429, "retry_after": 0.05}, "rate_limit", [0.05]),
    "500": ({"status": 500}, "server", [0.0]),
    "a storm of 529": ({"status": 529, "times": 3}, "overloaded", [0.0] * 3),
    "a storm without end": ({"status": 529, "times": 9}, "overloaded", [0.0] * 3),
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_is_waited_out_as_the_server_asks(tmp_path: Path, refusal: str) -> None:
    fault, kind, delays = REFUSALS[refusal]
    retry = RetryPolicy(attempts=4, base_delay=0.0)
    async with broken(tmp_path, [], wire="anthropic", retry=retry, turn={"fault": [fault]}) as b:
        await b.end()
        assert b.breaker.asked["broken"] == len(delays) + 1
        stored = await b.stored()
    assert [(retrying.kind, retrying.delay) for retrying in stored.retries] == [
        (kind, delay) for delay in delays
    ]
    if refusal == "a storm without end":
        assert isinstance(stored.last, e.TicketFailed)
        assert (stored.last.kind, "HTTP 529" in stored.last.message) == (kind, True)
    else:
        assert (stored.texts[-1], stored.last) == (TEXT, e.TicketDone("end"))
