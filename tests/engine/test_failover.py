"""Other providers, a circuit that opens, and answers that go on where they broke off."""

from pathlib import Path

import msgspec
import pytest

from lfgtui.agent.loop import CONTINUE
from lfgtui.model import events as e
from lfgtui.settings.config import BreakerPolicy, RetryPolicy
from lfgtui.settings.providers import ProviderConfig
from tests.engine.harness import Room, finished, says, scenario, ticket

CONTINUES = RetryPolicy(attempts=1, base_delay=0.01, max_delay=0.02, on_cut="continue")


def asked(opened: Room, name: str) -> list[str]:
    """Whom the ticket's attempts asked, in order."""
    return [attempt.provider for attempt in opened.engine.transcript(name).attempts]


KEYLESS = ProviderConfig(
    wire="openai-chat", base_url="http://127.0.0.1:9/v1", api_key_command="false"
)


@pytest.mark.parametrize(
    ("provider", "tries", "kind"), [("nowhere", 3, "connection"), ("keyless", 1, "auth")]
)
async def test_a_dead_provider_is_followed_by_the_next_and_the_debug_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, provider: str, tries: int, kind: str
) -> None:
    mine = ticket("a", tmp_path, provider=provider, fallback=["responses/a", "anthropic/a"])
    scenarios, more = {"a": says("A secret.")}, {"keyless": KEYLESS}
    with caplog.at_level("INFO", "lfgtui"):
        async with finished(tmp_path, [mine], scenarios=scenarios, more=more) as r:
            assert asked(r, "a") == [provider] * tries + ["responses"]
            assert r.engine.transcript("a").answer == "A secret."
            failovers = [e.FailedOver(f"{provider}/a", "responses/a")]
            assert r.events("a", e.FailedOver) == failovers
    told = [record.getMessage() for record in caplog.records if record.name.endswith("ticket_run")]
    assert told[-1] == f"a: {provider}/a broke ({kind}); next responses/a in 0 s"
    assert "secret" not in caplog.text


async def test_in_a_tool_loop_the_next_goes_on_with_what_was_done(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("forty-two")
    reads = {"name": "read_file", "arguments": {"path": "x"}}
    broken = {"text": "Never.", "fault": [{"status": 500, "times": 9}]}
    scenarios = {
        "early": scenario(turn=[{"text": "I look.", "call": [reads]}, broken]),
        "late": scenario(turn=[{"text": "No."}, {"text": "It says forty-two."}]),
    }
    mine = ticket("a", tmp_path, model="early", fallback=["anthropic/late"])
    async with finished(tmp_path, [mine], scenarios=scenarios) as r:
        assert asked(r, "a") == ["chat"] * 3 + ["anthropic"]
        assert len(r.events("a", e.ToolCallFinished)) == 1
        assert r.engine.transcript("a").answer == "It says forty-two."


async def test_when_nobody_is_left_the_last_error_is_the_tickets(tmp_path: Path) -> None:
    refused = says("x", fault=[{"status": 500, "times": 9}])
    mine = ticket("a", tmp_path, provider="nowhere", fallback=["chat/a"])
    async with finished(tmp_path, [mine], scenarios={"a": refused}) as r:
        error = r.attempts("a")[-1].error
        assert (r.state("a"), error and error.kind) == ("failed", "server")


@pytest.mark.parametrize("max_turns", [1, 30])
async def test_a_cut_answer_goes_on_if_the_config_says_so(tmp_path: Path, max_turns: int) -> None:
    scenarios = {"cut": says("One, two, three.", cut={"after": 9}), "rest": says("the rest.")}
    mine = ticket("a", tmp_path, model="cut", fallback=["anthropic/rest"], max_turns=max_turns)
    async with finished(tmp_path, [mine], scenarios=scenarios, retry=CONTINUES) as r:
        broken, rest = r.attempts("a")
        assert rest.keeps_partial
        told = [one.text for one in r.events("a", e.UserMessage)]
        assert told[1:] == [CONTINUE]
        assert broken.text
        assert r.engine.transcript("a").answer == broken.text + "the rest."
        assert r.state("a") == "done"


async def test_a_response_cut_in_a_call_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("forty-two")
    reads = {"name": "read_file", "arguments": {"path": "x"}}
    look = {"text": "Let me see.", "call": [reads], "cut": {"after": 14}}
    cut = scenario(turn=[look, {"text": "Done."}])
    again = msgspec.structs.replace(CONTINUES, attempts=2)
    async with finished(tmp_path, [ticket("a", tmp_path)], scenarios={"a": cut}, retry=again) as r:
        assert [a.keeps_partial for a in r.attempts("a")] == [False, False]
        assert len(r.events("a", e.ToolCallFinished)) == 1


async def test_many_tickets_do_not_hammer_a_dead_provider(tmp_path: Path) -> None:
    breaker = BreakerPolicy(failures=3, pause=0.05, max_pause=0.05)
    mine = [ticket(f"t{n}", tmp_path, provider="nowhere") for n in range(30)]
    async with finished(tmp_path, mine, concurrency=30, breaker=breaker) as r:
        assert {r.state(t.id) for t in mine} == {"failed"}
        sent = sum(len(r.events(t.id, e.RequestSent)) for t in mine)
        assert sent < 30 * 2  # without the circuit it were 90
        assert "nowhere" in r.engine.health.open_circuits


async def test_with_a_fallback_nobody_waits_for_an_open_circuit(tmp_path: Path) -> None:
    breaker = BreakerPolicy(failures=3, pause=60.0)
    retry = RetryPolicy(attempts=9, base_delay=0.01, max_delay=0.02)
    mine = [
        ticket(f"t{n}", tmp_path, provider="nowhere", model="m", fallback=["chat/m"])
        for n in range(8)
    ]
    scenarios = {"m": says("Here I am.")}
    async with finished(tmp_path, mine, scenarios=scenarios, breaker=breaker, retry=retry) as r:
        assert r.engine.all_done


async def test_a_model_that_keeps_failing_holds_up_no_other_of_its_provider(tmp_path: Path) -> None:
    breaker, retry = BreakerPolicy(failures=3, pause=3600.0), RetryPolicy(attempts=1)
    broken = says("Never.", fault=[{"status": 500, "times": 9}])
    scenarios = {"broken": broken, "well": says("Here I am.")}
    bad = [ticket(f"bad{n}", tmp_path, model="broken") for n in range(3)]
    good = [ticket(f"good{n}", tmp_path, model="well") for n in range(3)]
    async with finished(
        tmp_path, bad + good, scenarios=scenarios, breaker=breaker, retry=retry, concurrency=1
    ) as r:
        assert [r.state(one.id) for one in bad + good] == ["failed"] * 3 + ["done"] * 3
        assert not any(r.events(one.id, e.Status) for one in good)
        assert list(r.engine.health.open_circuits) == ["chat/broken"]
