"""`redact = "write"`, from the config to the file."""

from pathlib import Path

import pytest

from lfgtui.__main__ import main
from lfgtui.cli.launching.past_runs import plan_to_resume
from lfgtui.cli.launching.redactors import redactor_of, without_secrets
from lfgtui.cli.launching.session import stored_entries
from lfgtui.history.reader import Reader
from lfgtui.history.recording.recorder import Recorder
from lfgtui.model import events as e
from lfgtui.model.tickets import Ticket
from lfgtui.settings import paths
from lfgtui.settings.config import PRESETS, Config, HistoryPolicy
from tests.cli.conftest import configure
from tests.text.redaction.secrets import GITHUB, drawn

SIMULATED = ["--provider", "simulator", "--model", "generic", "--headless", "--json"]


@pytest.mark.usefixtures("fast_simulator")
def test_neither_output_nor_file_holds_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = drawn(20)
    monkeypatch.setenv("XAI_API_KEY", key)
    configure('[history]\nredact = "write"\n')
    tickets = tmp_path / "tickets.toml"
    tickets.write_text(
        f'title = "T {GITHUB}"\n[[ticket]]\nid = "a"\ntitle = "{GITHUB}"\nsystem = "{GITHUB}"\n'
        f'prompt = "Say {GITHUB} and {key}."\n'
    )
    assert main(["run", str(tickets), *SIMULATED]) == 0
    said = capsys.readouterr().out
    assert "Say [redacted: github token] and [redacted: key in use]." in said
    with Reader(paths.history_file()) as reader:
        run = reader.runs()[0]
        (stored,) = reader.tickets(run.run)
    assert run.title == "T [redacted: github token]"
    assert stored.ticket.system == "[redacted: github token]"
    files = [file for file in paths.data_dir().rglob("*") if file.is_file()]
    whole = said.encode() + b"".join(file.read_bytes() for file in files)
    assert GITHUB.encode() not in whole
    assert key.encode() not in whole


def test_what_was_stored_before_goes_outwithout_secrets(tmp_path: Path) -> None:
    with Recorder(paths.history_file()) as history:
        ticket = Ticket(id="a", prompt=f"Use {GITHUB}.", workspace=str(tmp_path))
        run = history.start_run(f"Use {GITHUB[:20]}…", [ticket], None)
        said = (e.TicketQueued(), e.AttemptStarted("simulator", "generic"))
        for event in (*said, e.UserMessage(f"Use {GITHUB}."), e.TicketInterrupted()):
            history.submit(run, "a", 1, 1.0, event)
        history.finish_run(run, "interrupted")
    config = Config(history=HistoryPolicy(redact="write"), providers=dict(PRESETS))
    plan = plan_to_resume(run, config)
    redactor = redactor_of(config)
    told = without_secrets(plan, redactor)
    stored = stored_entries(run, told.tickets, redactor)
    assert "[redacted: github token]" in told.tickets[0].prompt
    assert GITHUB[:20] not in f"{told}{stored}"
