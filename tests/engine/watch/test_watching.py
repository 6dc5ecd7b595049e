"""Tickets that watch: when they look, what they are shown, and what comes of their findings."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lfgtui.engine import commands as c
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.model.tickets_file import load_tickets
from tests.acp.scripts import scripted
from tests.engine.acp import prompts, working
from tests.engine.harness import WIRES, Room, finished, room, says, scenario, ticket
from tests.engine.test_tell import SILENT

EXAMPLE = Path(__file__).parents[3] / "examples" / "watch.toml"
API = "The server listens on port 8080, with amounts in cents."
DOCS = "Point your browser at **port 9090**; amounts are in euros."
FOUND = """Two of them do not fit.

```json
[{"kind": "contradiction", "tickets": ["api", "docs"],
  "assumes": ["the port is 8080", "the port is 9090"],
  "quotes": ["listens on port 8080", "browser at port 9090"]}]
```"""
SCENARIOS = {
    "api": says(API),
    "docs": says(DOCS),
    "watch": says(
        FOUND,
    ),
    "silent": SILENT,
}

EAGER: dict[str, Any] = {"watch_every": 1, "watch_interval": 1e-6}


def watcher(folder: Path, **keys: object) -> Ticket:
    return ticket("watch", folder, **{"watch": True, "tools": [], **keys})


def both(folder: Path, **keys: object) -> list[Ticket]:
    return [watcher(folder, **keys), ticket("api", folder), ticket("docs", folder)]


def looks(r: Room) -> list[e.UserMessage]:
    return r.events("watch", e.UserMessage)


def has_read(r: Room, name: str) -> bool:
    """True once a look has shown all that the ticket said."""
    ends = [one.seq for one in r.seen if one.ticket == name and isinstance(one.event, e.TicketDone)]
    read = max(((look.read or {}).get(name, 0) for look in looks(r)), default=0)
    texts = (one for one in r.seen if one.ticket == name and isinstance(one.event, e.TextDelta))
    return bool(ends) and read >= max(one.seq for one in texts)


def remarks(r: Room) -> list[str]:
    return [status.message for status in r.events("watch", e.Status)]


@pytest.mark.parametrize("wire", WIRES)
async def test_what_it_finds_marks_both_tickets(tmp_path: Path, wire: str) -> None:
    async with finished(tmp_path, both(tmp_path, provider=wire), scenarios=SCENARIOS) as r:
        assert [r.state(name) for name in ("watch", "api", "docs")] == ["done"] * 3
        (in_api,) = r.events("api", e.ContradictionFound)
        (in_docs,) = r.events("docs", e.ContradictionFound)
        assert (in_api.tickets, in_docs.tickets) == (("api", "docs"), ("docs", "api"))
        assert in_docs.quotes == in_api.quotes[::-1]
        assert in_api.found_by == "watch"
        for name in ("api", "docs"):
            conflict = r.engine.transcript(name).conflict
            assert conflict is not None and conflict.in_brief.startswith("contradiction · ")
        assert in_docs.message == (
            "contradiction with api: assumes the port is 9090 (“browser at port 9090”);"
            " api assumes the port is 8080 (“listens on port 8080”)"
        )


async def test_it_is_shown_what_the_others_said_once_and_ends_after_them(tmp_path: Path) -> None:
    async with finished(tmp_path, both(tmp_path), scenarios=SCENARIOS) as r:
        (look,) = looks(r)
        assert look.text.startswith("Do watch.")
        assert API in look.text and DOCS in look.text and "last look" in look.text
        assert set(look.read or {}) == {"api", "docs"}
        assert r.seen[-1].ticket == "watch"


async def test_it_takes_no_slot(tmp_path: Path) -> None:
    how: dict[str, Any] = {"scenarios": SCENARIOS, "concurrency": 1, "hold_slot": True}
    async with finished(tmp_path, both(tmp_path), **how) as r:
        assert r.state("watch") == r.state("docs") == "done"


async def test_it_looks_again_after_as_much_as_it_was_told(tmp_path: Path) -> None:
    """The interval is of the clock; here each look may follow at once."""
    steps = scenario(
        turn=[
            {
                "text": f"Step {number}. {API}",
                "call": [{"name": "list_files", "arguments": {"path": f"{number}"}}],
            }
            for number in range(3)
        ]
        + [{"text": "Done."}]
    )
    mine = [watcher(tmp_path, **EAGER), ticket("api", tmp_path)]
    quiet = scenario(turn=[{"text": "[]"}], follow_up=[{"text": "[]"}])
    async with finished(tmp_path, mine, scenarios={"api": steps, "watch": quiet}) as r:
        texts = "\n".join(look.text for look in looks(r))
        assert r.state("watch") == "done"
        for number in range(3):
            assert texts.count(f"Step {number}.") == 1
        assert "[calls] list_files" in texts and texts.count("Do watch.") == 1
        assert "not a list of findings" not in "".join(remarks(r))


async def test_with_nothing_said_it_asks_nothing(tmp_path: Path) -> None:
    mine = [watcher(tmp_path), ticket("a", tmp_path, provider="nowhere", model="m")]
    async with finished(tmp_path, mine, scenarios=SCENARIOS) as r:
        assert (r.state("watch"), r.state("a")) == ("done", "failed")
        assert r.events("watch", e.RequestSent) == []


@pytest.mark.parametrize(
    ("answer", "remark"),
    [
        (FOUND.replace("listens on", "sings on"), "api did not say “sings on port 8080”"),
        (FOUND.replace('"docs"]', '"nobody"]'), "there is no ticket nobody"),
        ("They get on well.", "not a list of findings"),
        ('{"tickets": ["api"]}', "does not name two tickets"),
    ],
)
async def test_what_cannot_be_read_or_was_not_said_marks_nothing(
    tmp_path: Path, answer: str, remark: str
) -> None:
    scenarios = {**SCENARIOS, "watch": says(answer)}
    async with finished(tmp_path, both(tmp_path), scenarios=scenarios) as r:
        assert r.state("watch") == "done"
        assert r.events("api", e.ContradictionFound) == []
        assert any(remark in one for one in remarks(r))


async def test_a_resumed_run_goes_on_from_what_was_read(tmp_path: Path) -> None:
    mine = [
        *both(tmp_path, watch_every=1, watch_interval=1e-6),
        ticket("c", tmp_path, model="silent"),
    ]
    quiet = scenario(turn=[{"text": "[]"}], follow_up=[{"text": "[]"}])
    async with room(tmp_path, mine, scenarios={**SCENARIOS, "watch": quiet}) as r:
        await r.until(lambda: has_read(r, "api") and has_read(r, "docs"))
        run = r.engine.run
    more = {
        **SCENARIOS,
        "silent": says("More news."),
        "watch": scenario(turn=[{"text": "[]"}], follow_up=[{"text": FOUND}]),
    }
    async with finished(tmp_path, mine, resumes=run, scenarios=more) as r:
        assert [r.state(one.id) for one in mine] == ["done"] * 4
        texts = "".join(look.text for look in looks(r))
        assert "More news." in texts and API not in texts and "Do watch." not in texts
        assert len(r.events("docs", e.ContradictionFound)) == 1


async def test_the_same_is_found_once_also_after_a_resume(tmp_path: Path) -> None:
    mine = [
        *both(tmp_path, watch_every=1, watch_interval=1e-6),
        ticket("c", tmp_path, model="silent"),
    ]
    again = scenario(turn=[{"text": FOUND}], follow_up=[{"text": FOUND}])
    scenarios = {**SCENARIOS, "watch": again}
    async with room(tmp_path, mine, scenarios=scenarios) as r:
        await r.until_event("docs", e.ContradictionFound)
        run = r.engine.run
    scenarios["silent"] = says("More news.")
    async with finished(tmp_path, mine, resumes=run, scenarios=scenarios) as r:
        assert r.events("watch", e.RequestSent)
        assert r.events("docs", e.ContradictionFound) == []


async def test_it_is_steered_and_cancelled_like_any_other(tmp_path: Path) -> None:
    mine = [watcher(tmp_path, watch_every=10**6), ticket("c", tmp_path, model="silent")]
    async with room(tmp_path, mine, scenarios={**SCENARIOS, "watch": says("[]")}) as r:
        await r.until_event("c", e.TextDelta)
        r.engine.send(c.Tell("watch", "Mind the ports."))
        await r.until_event("watch", e.ResponseFinished)
        r.engine.send(c.Cancel("watch"))
        r.engine.send(c.Cancel("c"))
        await r.engine.wait_idle()
        assert r.state("watch") == "cancelled"


async def test_one_that_is_done_goes_on_with_what_is_added(tmp_path: Path) -> None:
    mine = [watcher(tmp_path), ticket("api", tmp_path)]
    more = scenario(turn=[{"text": "[]"}], follow_up=[{"text": FOUND}])
    async with finished(tmp_path, mine, scenarios={**SCENARIOS, "watch": more}) as r:
        r.engine.send(c.Add((ticket("docs", tmp_path),)))
        await r.engine.wait_idle()
        assert len(looks(r)) == 2
        assert len(r.events("api", e.ContradictionFound)) == 1


async def test_a_long_conversation_begins_anew_with_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lfgtui.engine.watch.watching._LONGEST", 10)
    mine = both(tmp_path)
    async with finished(tmp_path, mine, scenarios={**SCENARIOS, "c": says("News.")}) as r:
        r.engine.send(c.Add((ticket("c", tmp_path),)))
        await r.engine.wait_idle()
        _, second = looks(r)
        assert second.anew is True and "Reported already:" in second.text
        assert len(r.engine.transcript("watch").conversation.messages) == 2
        turns = [sent.turn for sent in r.events("watch", e.RequestSent)]
        assert turns == [1, 2]


async def test_an_installed_agent_watches_in_one_session(tmp_path: Path) -> None:
    agent = scripted(tmp_path, turns=[[{"text": "[]"}], [{"text": FOUND}]])
    mine = [watcher(tmp_path, provider="mine", model=""), ticket("api", tmp_path)]
    async with working(tmp_path, agent, mine, scenarios=SCENARIOS) as r:
        await r.engine.wait_idle()
        r.engine.send(c.Add((ticket("docs", tmp_path),)))
        await r.engine.wait_idle()
        assert r.state("watch") == "done"
        assert len(r.events("docs", e.ContradictionFound)) == 1
        first, second = prompts(agent)
        assert first.startswith("You watch other agents") and API in first
        assert DOCS in second and API not in second
        assert len(agent.received("session/new")) == 1


def test_the_instructions_are_its_system_prompt(tmp_path: Path) -> None:
    mine = watcher(tmp_path, system="Mind the ports.")
    assert (mine.instructions or "").endswith("\n\nMind the ports.")
    assert msgspec.structs.replace(mine, watch=False).instructions == "Mind the ports."


async def test_the_example_shows_a_finding_and_one_that_was_made_up(tmp_path: Path) -> None:
    file = await asyncio.to_thread(load_tickets, EXAMPLE)
    mine = [msgspec.structs.replace(one, provider="chat") for one in file.tickets]
    async with finished(tmp_path, mine) as r:
        (found,) = r.events("docs", e.ContradictionFound)
        assert found.quotes == (
            "point your browser at port 9090",
            "The server listens on port 8080",
        )
        assert any("docs did not say “the server counts in francs”" in one for one in remarks(r))
