"""`kill -9` while a ticket is stopping: what was said by then, and a new prompt, outlive it."""

import json
from pathlib import Path

import pytest

from lfgtui.engine import commands as c
from lfgtui.server.control.client import ask
from tests.acp.scripts import MISBEHAVIOUR, scripted, words
from tests.cli.conftest import Lfg, configure
from tests.helpers.processes import start

pytestmark = pytest.mark.usefixtures("at_root")

SAID, ANEW = "Use pathlib please", "Do it well."


@pytest.mark.parametrize("stop", [c.Cancel("a"), c.Restart("a", ANEW)], ids=("c", "E"))
def test_what_is_said_and_a_new_prompt_are_sent_once_by_a_resume(
    tmp_path: Path, lfg: Lfg, stop: c.Command
) -> None:
    agent = scripted(tmp_path, **MISBEHAVIOUR["ignores cancel"])
    configure(agent.config("agent"))
    tickets = tmp_path / "tickets.toml"
    tickets.write_text('[[ticket]]\nid = "a"\nprovider = "agent"\nprompt = "Go."\n')
    with start("run", str(tickets), "--headless", "--json", "--yes") as process:
        try:
            assert process.stdout is not None
            entries = map(json.loads, process.stdout)
            run = next(one["run"] for one in entries if one["type"] == "text_delta")
            ask(run, stop)
            ask(run, c.Tell("a", SAID))
        finally:
            process.kill()
    stored = list(map(json.loads, lfg("export", "last", "--format", "jsonl").out.splitlines()))
    kinds = [entry["type"] for entry in stored if "type" in entry]
    assert "ticket_cancelled" not in kinds  # it was still stopping
    before = len(agent.received("session/prompt"))
    scripted(tmp_path, turns=[words("Well done.")])
    assert lfg("resume", "last", "--headless").code == 0
    sent = json.dumps(agent.received("session/prompt")[before:])
    (shown,) = lfg("show", "last", "--json").json["tickets"]
    assert (sent.count(SAID), sent.count(ANEW)) == (1, int(isinstance(stop, c.Restart)))
    assert shown["state"] == "done"
