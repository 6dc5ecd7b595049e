"""`redact = "write"`, from the config to the file."""

from pathlib import Path

import pytest

from lfgtui.cli.launching.past_runs import plan_to_resume
from lfgtui.cli.launching.redactors import redactor_of, without_secrets
from lfgtui.cli.launching.session import stored_entries
from lfgtui.history.reader import Reader
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.settings.config import Config, HistoryPolicy
from lfgtui.settings.providers import PRESETS
from tests.cli.conftest import LIFE, Lfg, configure, store
from tests.text.secrets import GITHUB, drawn

SIMULATED = ["--provider", "simulator", "--model", "generic", "--headless", "--json"]


@pytest.mark.usefixtures("fast_simulator")
def test_neither_output_nor_file_holds_a_secret(
    tmp_path: Path, lfg: Lfg, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = drawn(20)
    monkeypatch.setenv("XAI_API_KEY", key)
    configure('[history]\nredact = "write"\n')
    tickets = tmp_path / "tickets.toml"
    tickets.write_text(
        f'title = "T {GITHUB}"\n[[ticket]]\nid = "a"\ntitle = "{GITHUB}"\nsystem = "{GITHUB}"\n'
        f'prompt = "Say {GITHUB} and {key}."\n'
    )
    code, said, _ = lfg("run", str(tickets), *SIMULATED)
    assert code == 0 and "Say [redacted: github token] and [redacted: key in use]." in said
    with Reader(paths.history_file()) as reader:
        run = reader.runs()[0]
        (stored,) = reader.tickets(run.run)
    assert run.title == "T [redacted: github token]"
    assert stored.ticket.system == "[redacted: github token]"
    files = [file for file in paths.data_dir().rglob("*") if file.is_file()]
    whole = said.encode() + b"".join(file.read_bytes() for file in files)
    assert GITHUB.encode() not in whole
    assert key.encode() not in whole


def test_what_was_stored_before_goes_out_without_secrets(tmp_path: Path) -> None:
    ticket = Ticket(id="a", prompt=f"Use {GITHUB}.", workspace=str(tmp_path))
    life = [*LIFE[:2], e.UserMessage(f"Use {GITHUB}."), e.TicketInterrupted()]
    run = store(f"Use {GITHUB[:20]}…", [ticket], life)
    config = Config(history=HistoryPolicy(redact="write"), providers=dict(PRESETS))
    plan = plan_to_resume(run, config)
    redactor = redactor_of(config)
    told = without_secrets(plan, redactor)
    stored = stored_entries(run, told.tickets, redactor)
    assert "[redacted: github token]" in told.tickets[0].prompt
    assert GITHUB[:20] not in f"{told}{stored}"
