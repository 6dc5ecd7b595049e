"""Limits that say when they end: a ticket waits for that without a slot, and others with it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from lfgtui.engine import commands as c
from lfgtui.engine.recovery.limits import Limit, Limits, known_limits
from lfgtui.model import events as e
from lfgtui.model.fold.transcript import Transcript
from lfgtui.settings.config import BreakerPolicy, RetryPolicy, Route
from lfgtui.simulator.scenario import Scenario
from tests.engine.harness import QUICK_RETRY, Room, calls, finished, room, says, ticket
from tests.faults.breaker import Breaker, after, instead
from tests.providers.virtual_time import pausing

PARKS = msgspec.structs.replace(QUICK_RETRY, max_retry_after=0.05)
HOUR = 3600.0
BRIEF: Mapping[str, object] = {"status": 429, "retry_after": 0.3}
LATER: Mapping[str, object] = {"status": 429, "retry_after": 3.0}  # than an SDK's first request
LONG: Mapping[str, object] = {"status": 429, "retry_after": HOUR}


def limited(*faults: Mapping[str, object]) -> Scenario:
    return says("At last.", fault=list(faults))


def parked(r: Room, name: str) -> list[e.Parked]:
    return r.events(name, e.Parked)


def sent(r: Room, name: str) -> int:
    return len(r.events(name, e.RequestSent))


async def test_a_limit_that_ends_in_time_parks_the_ticket_until_then(tmp_path: Path) -> None:
    scenarios = {"a": limited(BRIEF)}
    mine = [ticket("a", tmp_path)]
    async with finished(tmp_path, mine, scenarios=scenarios, retry=PARKS) as r:
        refused, answered = r.attempts("a")
        assert r.state("a") == "done"
        assert (refused.state, refused.error and refused.error.kind) == ("failed", "rate_limit")
        (event,) = parked(r, "a")
        assert event.provider == "chat" and "HTTP 429" in event.reason
        assert answered.started_at >= event.until
        assert not r.events("a", e.Retrying) and not r.events("a", e.TicketFailed)


async def test_the_wait_is_not_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ticket("a", tmp_path, timeout=900)
    async with room(tmp_path, [mine], scenarios={"a": limited(LONG)}) as r:
        await r.until_event("a", e.Parked)
        await pausing(monkeypatch, 1000)()
        r.engine.send(c.Retry("a"))
        await r.engine.wait_idle()
        assert r.state("a") == "done"


EXHAUSTED = {
    "x_ratelimit_remaining_requests": "0",
    "x_ratelimit_reset_requests": "1h0m0s",
    "x_ratelimit_remaining_tokens": "9",
    "x_ratelimit_reset_tokens": "9h",
}


async def test_the_header_of_the_exhausted_limit_parks_it(tmp_path: Path) -> None:
    front = Breaker({"a": [instead(b"{}", status=429, **EXHAUSTED)]})
    scenarios = {"a": says("Hi.")}
    async with room(tmp_path, [ticket("a", tmp_path)], scenarios=scenarios, front=front) as r:
        event = await r.until_event("a", e.Parked)
        assert event.until - r.attempts("a")[0].started_at == pytest.approx(HOUR, abs=60)


async def test_a_short_retry_after_is_obeyed_however_far_the_reset(tmp_path: Path) -> None:
    front = Breaker({"a": [instead(b"{}", status=429, **EXHAUSTED, retry_after="0.01")]})
    scenarios = {"a": says("Hi.")}
    async with finished(tmp_path, [ticket("a", tmp_path)], scenarios=scenarios, front=front) as r:
        assert (r.state("a"), parked(r, "a")) == ("done", [])
        assert [retry.delay for retry in r.events("a", e.Retrying)] == [0.01]


async def test_headers_of_an_answer_park_nothing(tmp_path: Path) -> None:
    spent = b"\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 1h\r\n"
    front = Breaker({"a": [lambda reply: [reply.replace(b"\r\n", spent, 1)]]})
    scenarios = {"a": says("Hi.")}
    async with finished(tmp_path, [ticket("a", tmp_path)], scenarios=scenarios, front=front) as r:
        assert (r.state("a"), parked(r, "a")) == ("done", [])


@pytest.mark.parametrize(
    ("max_park", "retry_after", "told"),
    [
        (60.0, HOUR, "asks to wait 3600 s, more than retry.max_park (60 s)"),
        (0.0, HOUR, "asks to wait 3600 s, more than retry.max_park (0 s)"),
        (6 * HOUR, 24 * HOUR, "asks to wait 86400 s, more than retry.max_park (21600 s)"),
    ],
)
async def test_a_limit_beyond_max_park_fails_the_ticket_and_says_so(
    tmp_path: Path, max_park: float, retry_after: float, told: str
) -> None:
    scenarios = {"a": limited({"status": 429, "retry_after": retry_after})}
    retry = RetryPolicy(max_park=max_park)
    async with finished(tmp_path, [ticket("a", tmp_path)], scenarios=scenarios, retry=retry) as r:
        (failed,) = r.events("a", e.TicketFailed)
        assert told in failed.message
        assert parked(r, "a") == []


async def test_others_of_the_provider_wait_too_and_another_takes_the_slot(tmp_path: Path) -> None:
    limits = [ticket("a", tmp_path), *(ticket(f"b{n}", tmp_path, model="b") for n in range(3))]
    other = ticket("other", tmp_path, provider="anthropic")
    scenarios = {"a": limited(LONG), "b": says("Me too."), "other": says("Hi.")}
    breaker = BreakerPolicy(failures=1)  # who names a time is not dead
    async with room(
        tmp_path, [*limits, other], scenarios=scenarios, concurrency=1, breaker=breaker
    ) as r:
        await r.until(lambda: r.state("other") == "done")
        await r.until(lambda: all(parked(r, one.id) for one in limits))
        assert {r.state(one.id) for one in limits} == {"retrying"}
        assert {parked(r, one.id)[0] for one in limits} == set(parked(r, "a"))
        assert [sent(r, one.id) for one in limits] == [1, 0, 0, 0]
        assert r.engine.transcript("b1").parked_until == parked(r, "a")[0].until
        assert r.engine.health.open_circuits == {}
        r.engine.send(c.Retry("b1"))  # and the first answer releases them all
        await r.engine.wait_idle()
        assert r.engine.all_done
        order = [s.ticket for s in r.seen if isinstance(s.event, e.RequestSent)]
        assert order[2] == "b1"


async def test_a_try_that_is_refused_parks_anew_until_the_time_it_was_told(tmp_path: Path) -> None:
    twice = limited(LONG, {"status": 429, "retry_after": 2 * HOUR})
    mine = [ticket("a", tmp_path), ticket("b", tmp_path)]
    async with room(tmp_path, mine, scenarios={"a": twice, "b": says("B.")}, concurrency=1) as r:
        first = await r.until_event("b", e.Parked)
        r.engine.send(c.Retry("a"))
        await r.until(lambda: len(parked(r, "b")) == 2)
        assert parked(r, "b")[-1].until - first.until == pytest.approx(HOUR, abs=60)
        assert parked(r, "a") == parked(r, "b")
        assert (sent(r, "a"), sent(r, "b")) == (2, 0)


async def test_a_sign_of_life_before_the_refusal_lifts_no_limit(tmp_path: Path) -> None:
    refusal = b'data: {"error": {"message": "Please try again in 1h0m0s", "code": 429}}\n\n'
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 0}}\n\n'
    stream = b": PROCESSING\n\n" + usage + refusal
    refuses = instead(b"{}", status=429, retry_after="3600")
    late = instead(stream, content_type="text/event-stream")
    mine = [ticket("a", tmp_path), ticket("b", tmp_path)]
    front = Breaker({"a": [refuses, late], "b": [late]})
    scenarios = {"a": says("A."), "b": says("B.")}
    async with room(tmp_path, mine, scenarios=scenarios, front=front, concurrency=1) as r:
        await r.until(lambda: parked(r, "a") and parked(r, "b"))
        r.engine.send(c.Retry("a"))
        await r.until(lambda: len(parked(r, "a")) == 2)
        assert front.asked == {"a": 2}
        assert len(parked(r, "b")) == 1


async def test_in_a_tool_loop_it_waits_and_goes_on_with_what_was_done(tmp_path: Path) -> None:
    """`loop` waits for an approval while `a` meets the limit."""
    tickets = [ticket("loop", tmp_path), ticket("a", tmp_path, needs=["first"])]
    tickets.append(ticket("first", tmp_path))
    writes = calls("write_file", {"path": "x", "content": "1"}, then="Written.")
    scenarios = {"loop": writes, "a": limited(BRIEF), "first": says("Go.")}
    async with room(tmp_path, tickets, scenarios=scenarios, retry=PARKS) as r:
        await r.until_event("a", e.Parked)
        await r.approve("loop")
        await r.engine.wait_idle()
        assert r.engine.all_done
        assert r.engine.transcript("loop").answer == "Written."
        assert len(r.events("loop", e.ToolCallFinished)) == 1


async def test_a_fallback_is_asked_at_once_and_the_limit_is_still_known(tmp_path: Path) -> None:
    tickets = [
        ticket("a", tmp_path, fallback=["anthropic/plain"]),
        ticket("b", tmp_path, model="plain", fallback=["responses/plain"]),
        ticket("c", tmp_path, model="plain"),
    ]
    scenarios = {"a": limited(LONG), "plain": says("Here I am.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1) as r:
        await r.until(lambda: r.state("a") == r.state("b") == "done")
        await r.until_event("c", e.Parked)
        assert (sent(r, "a"), sent(r, "b"), sent(r, "c")) == (2, 1, 0)
        assert r.events("b", e.FailedOver) == [e.FailedOver("chat/plain", "responses/plain")]
        assert parked(r, "a") == parked(r, "b") == []


async def test_a_fallback_to_another_model_of_the_provider_is_asked_as_well(tmp_path: Path) -> None:
    """Until that meets the limit too; a ticket of the other model waits with the first."""
    tickets = [
        ticket("a", tmp_path, fallback=["chat/free"]),
        ticket("b", tmp_path, model="a", fallback=["chat/full"]),
        ticket("c", tmp_path, model="a", fallback=["chat/full"]),
        ticket("d", tmp_path, model="free"),
    ]
    scenarios = {"a": limited(LONG), "free": says("Free."), "full": limited(LONG)}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1) as r:
        await r.until(lambda: r.state("a") == "done" and all(parked(r, name) for name in "bcd"))
        assert r.engine.transcript("a").answer == "Free."
        assert [sent(r, name) for name in "abcd"] == [2, 1, 0, 0]
        assert {r.state(name) for name in "bcd"} == {"retrying"}


@pytest.mark.parametrize("last", ["anthropic/later", "nowhere/x"])
async def test_when_all_have_limits_the_first_to_end_counts(tmp_path: Path, last: str) -> None:
    """Nor does a fallback that is no help take away the limit that ends."""
    mine = ticket("a", tmp_path, fallback=[last])
    scenarios = {"a": limited(LATER), "later": limited(LONG)}
    async with finished(tmp_path, [mine], scenarios=scenarios, retry=PARKS) as r:
        assert [one.provider for one in parked(r, "a")] == ["chat"]
        assert r.attempts("a")[-1].provider == "chat"
        assert r.state("a") == "done"


@pytest.mark.parametrize("end", [c.Cancel("a"), c.Cancel("b")])
async def test_a_parked_ticket_can_be_paused_and_cancelled(tmp_path: Path, end: c.Cancel) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    async with room(tmp_path, tickets, scenarios={"a": limited(LONG)}, concurrency=1) as r:
        await r.until(lambda: all(parked(r, name) for name in "ab"))
        r.engine.send(c.Pause(end.ticket))
        await r.until_event(end.ticket, e.Paused)
        r.engine.send(c.Retry(end.ticket))  # is nothing to a paused one
        r.engine.send(c.Resume(end.ticket))
        await r.until_event(end.ticket, e.Resumed)
        assert r.state(end.ticket) == "retrying"
        r.engine.send(end)
        await r.until_event(end.ticket, e.TicketCancelled)
    assert r.state("b" if end.ticket == "a" else "a") == "interrupted"


async def test_a_pause_that_was_asked_for_before_holds_after_it(tmp_path: Path) -> None:
    paused = asyncio.Event()
    front = Breaker({"a": [after(paused, instead(b"{}", status=429, retry_after="0.3"))]})
    mine, scenarios = [ticket("a", tmp_path)], {"a": says("At last.")}
    async with room(tmp_path, mine, scenarios=scenarios, front=front, retry=PARKS) as r:
        await r.until_event("a", e.RequestSent)
        r.engine.send(c.Pause("a"))
        paused.set()
        await r.resume_when_paused("a")
        assert r.state("a") == "done"
        waits = [type(one) for one in r.events("a") if isinstance(one, (e.Parked, e.Paused))]
        assert waits == [e.Parked, e.Paused]


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_resumed_run_waits_until_the_same_time(tmp_path: Path, is_over: bool) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    scenarios = {"a": limited(BRIEF if is_over else LONG), "b": says("B.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1, retry=PARKS) as r:
        until = (await r.until_event("b", e.Parked)).until
    assert {r.state(name) for name in "ab"} == {"interrupted"}
    assert r.engine.transcript("b").parked == parked(r, "b")[0]
    run, scenarios = r.engine.run, {"a": says("A."), "b": says("B.")}
    async with room(tmp_path, tickets, scenarios=scenarios, resumes=run, retry=PARKS) as r:
        if not is_over:
            await r.until(lambda: all(parked(r, name) for name in "ab"))
            assert [parked(r, name)[-1].until for name in "ab"] == [until, until]
            assert sent(r, "a") == sent(r, "b") == 0
            r.engine.send(c.Retry("b"))
        await r.engine.wait_idle()
        assert r.engine.all_done
        if is_over:
            assert all(s.at >= until for s in r.seen if isinstance(s.event, e.RequestSent))


async def test_a_limit_that_was_lifted_is_not_waited_for_in_a_resumed_run(tmp_path: Path) -> None:
    tickets = [ticket("a", tmp_path), ticket("b", tmp_path)]
    scenarios = {"a": limited(LONG), "b": says("B.")}
    async with room(tmp_path, tickets, scenarios=scenarios, concurrency=1) as r:
        await r.until_event("b", e.Parked)
        r.engine.send(c.Cancel("b"))
        r.engine.send(c.Retry("a"))
        await r.engine.wait_idle()
        assert [r.state(name) for name in "ab"] == ["done", "cancelled"]
        run = r.engine.run
    async with finished(tmp_path, tickets, scenarios=scenarios, resumes=run) as r:
        assert (r.state("b"), parked(r, "b")) == ("done", [])


async def test_a_time_that_no_limit_has_is_not_waited_for_in_a_resumed_run(tmp_path: Path) -> None:
    """An imported run may say anything, and a clock may have been wrong."""
    mine = [ticket("a", tmp_path)]
    async with room(tmp_path, mine, scenarios={"a": limited(LONG)}) as r:
        await r.until_event("a", e.Parked)
        run = r.engine.run
    scenarios, retry = {"a": says("A.")}, RetryPolicy(max_park=60.0)
    async with finished(tmp_path, mine, scenarios=scenarios, resumes=run, retry=retry) as r:
        assert (r.state("a"), parked(r, "a")) == ("done", [])


# Limits by themselves


class Clock:
    """Time that passes when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def limit(provider: str, until: float, reason: str = "full") -> Limit:
    return Limit(provider, until, reason, "rate_limit")


def test_a_limit_holds_until_it_ends_or_is_lifted_and_the_newest_time_counts() -> None:
    clock = Clock()
    changes: list[float] = []
    limits = Limits(clock)
    limits.on_change = lambda: changes.append(clock.now)
    for until in (2000.0, 2030.0, 5000.0, 3000.0):
        limits.note(limit("p", until))
    assert len(changes) == 3  # 2030 is 2000, read a little later
    assert limits.of("p") == limit("p", 3000.0)
    limits.lift(limit("p", 5000.0))  # one that was replaced since
    clock.now = 2999.0
    assert limits.of("p") and not limits.of("q")
    clock.now = 3000.0
    assert limits.of("p") is None
    limits.note(limit("p", 4000.0))
    limits.lift(limit("p", 4000.0))
    assert limits.of("p") is None


def test_of_several_providers_the_first_to_end_counts_unless_one_is_free() -> None:
    limits = Limits(Clock())
    p, q, other, free = (Route(*name) for name in ("pm", "qm", "qn", "fm"))
    limits.note(limit("p", 3000.0), "m")
    limits.note(limit("q", 2000.0), "m")
    assert limits.first_to_end([p, q], p) == limit("q", 2000.0)
    assert limits.first_to_end([p, q, free], p) is None
    assert limits.first_to_end([p, other], p) is None
    assert limits.first_to_end([p, other], other) == limit("q", 2000.0)
    limits.note(limit("q", 2030.0), "n")
    assert limits.first_to_end([p, other], p) == limit("q", 2000.0)


OWN = Route("p", "m")
REFUSED = e.Parked("p", 2000.0, "full")
ASKED = e.AttemptStarted("p", "m")
ANSWERED = (ASKED, e.RequestSent(1), e.TextDelta("Hi."))


def stored(*events: e.Event, at: float) -> tuple[Route, Transcript]:
    """A ticket of which one of the events is stored a second."""
    transcript = Transcript()
    for seq, event in enumerate((e.TicketQueued(), *events), 1):
        transcript.apply(e.Entry("run", "t", 1, seq, at + seq, event))
    return OWN, transcript


PARKED = stored(ASKED, REFUSED, e.TicketCancelled(), at=100.0)


@pytest.mark.parametrize(
    ("other", "ends"),
    [
        (stored(*ANSWERED, at=200.0), []),
        (stored(*ANSWERED, at=0.0), [2000.0]),  # before it was met
        (stored(ASKED, e.RequestSent(1), e.Usage(5, 0), at=200.0), [2000.0]),
        (stored(e.AttemptStarted("p", "other"), *ANSWERED[1:], at=200.0), [2000.0]),
        (stored(e.AttemptStarted("q", "m"), *ANSWERED[1:], at=200.0), [2000.0]),
        (stored(*ANSWERED, e.Parked("p", 9000.0, "full"), at=200.0), [9000.0]),
        (stored(ASKED, e.Parked("p", 9000.0, "full"), at=200.0), [2000.0, 9000.0]),
    ],
)
def test_what_is_known_of_a_stored_run_is_the_limits_that_nothing_lifted_since(
    other: tuple[Route, Transcript], ends: list[float]
) -> None:
    for tickets in ([PARKED, other], [other, PARKED]):
        assert [one.until for one in known_limits(tickets)] == ends
